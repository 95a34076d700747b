"""Notices: what people are told in the console, by e-mail and by webhook.

When somebody is told something is decided by the apps that it concerns.
"""
