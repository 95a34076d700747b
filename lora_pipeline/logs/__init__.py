"""Logging: text or JSON, with request ids and without secrets.

Imported by the settings, so Django's settings are not available here.
"""
