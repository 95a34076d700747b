"""The configuration page: its form, its cost panel, starting a job again.

Estimates come from estimates/, jobs are made by jobs/services.py.
"""
