"""Datasets in the API: serializers, views and their OpenAPI texts.

Rules and writes are elsewhere: see services.py, uploads.py and checking/.
"""
