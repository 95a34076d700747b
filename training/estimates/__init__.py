"""Estimates of a job on real datasets and machines, and learning from finished runs.

The formulas are in domain/estimator; nothing here is a job's own.
"""
