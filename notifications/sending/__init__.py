"""Sending notifications: queueing, one attempt, e-mail and signed requests.

services.py and preferences.py decide who gets what.
"""
