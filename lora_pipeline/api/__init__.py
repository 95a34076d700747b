"""Shared by all API views: envelope, parsing, pagination, the OpenAPI schema.

There are no endpoints here; each app has its own api package.
"""
