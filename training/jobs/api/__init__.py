"""Jobs over the API: views, serializers, and what the OpenAPI description says.

Writes are in jobs/services.py and jobs/controls.py.
"""
