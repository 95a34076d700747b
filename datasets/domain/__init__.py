"""Formats, errors, splits and statistics as pure functions.

No Django, no files, no database.
"""
