"""Datasets over the API: serializers, views, and what the OpenAPI description says.

Rules and writes are not here: see services.py, uploads.py and checking/.
"""
