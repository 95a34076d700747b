"""The configuration page: form, cost panel, restarting a job.

Estimates come from estimates/, jobs are created by jobs/services.py.
"""
