"""The project: settings, accounts, and what all apps stand on.

Nothing here knows jobs or datasets; what they add stands in settings as dotted paths.
"""
