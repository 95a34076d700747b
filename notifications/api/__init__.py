"""Notifications, webhooks and deliveries in the API.

Writes are elsewhere: see services.py and webhooks.py.
"""
