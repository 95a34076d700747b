"""Jobs, limits, methods, queue and estimator as pure functions.

No Django, no clock, no database.
"""
