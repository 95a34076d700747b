"""Notices, webhooks and deliveries over the API.

Writes are not here: see services.py and webhooks.py.
"""
