"""Shared by all pages and requests: middleware, headers, addresses, rate limits.

Feature pages are in the apps.
"""
