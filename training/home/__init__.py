"""The home page: running jobs, recent results and the next step.

Writes nothing.
"""
