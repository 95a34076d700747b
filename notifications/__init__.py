"""Notifications in the console, by e-mail and by webhook.

The other apps decide when to send one.
"""
