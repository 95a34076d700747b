"""Operators' view of training: the catalogue to edit, the history to read."""

from training import admin_catalogue, admin_estimator, admin_history, admin_jobs

__all__ = ["admin_catalogue", "admin_estimator", "admin_history", "admin_jobs"]
