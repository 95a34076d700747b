"""Operators' view of training: the catalogue to edit, the history to read."""

from training.operators import catalogue, estimator, history, jobs, people

__all__ = ["catalogue", "estimator", "history", "jobs", "people"]
