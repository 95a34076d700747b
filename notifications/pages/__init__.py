"""Notices in the browser, and the page of what is sent out.

Writes are not here: see services.py and webhooks.py.
"""
