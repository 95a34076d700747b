"""Validating an upload: container, format, errors by line, train/validation splits.

The formats themselves are in domain/; counting tokens is in tokens/.
"""
