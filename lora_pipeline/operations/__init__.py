"""Tools for operators: probes, metrics, doctor, retention, backup.

The apps plug in by dotted paths in settings.
"""
