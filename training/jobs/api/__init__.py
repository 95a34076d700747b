"""Jobs in the API: views, serializers and their OpenAPI texts.

Writes are in jobs/services.py and jobs/controls.py.
"""
