"""Estimates for real datasets and machines, and calibration from finished runs.

The formulas are in domain/estimator; jobs are in jobs/.
"""
