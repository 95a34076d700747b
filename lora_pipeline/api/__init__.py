"""What every API view shares: envelope, parsing, pages, the OpenAPI description.

No endpoint is here; each app has its own api module.
"""
