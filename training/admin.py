"""Operators' view of training: the catalogue to edit, the history to read."""

from training.operators import catalogue, estimator, history, jobs, users

__all__ = ["catalogue", "estimator", "history", "jobs", "users"]
