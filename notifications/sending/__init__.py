"""Notices on their way out: queueing, one try, e-mail and signed requests.

Who is told what is decided in services.py and preferences.py.
"""
