"""The operator's tools: probes, metrics, doctor, retention, backup.

What the apps add to them stands in settings as dotted paths.
"""
