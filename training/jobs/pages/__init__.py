"""Job pages: the list, one job, comparing several.

Writes are in jobs/services.py and jobs/controls.py.
"""
