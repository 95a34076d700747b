"""Pages of notifications, their settings and deliveries.

Writes are elsewhere: see services.py and webhooks.py.
"""
