"""Datasets in the browser: views, forms, and what their templates are given.

Rules and writes are not here: see services.py.
"""
