"""The operators' rooms: the admin, the fleet page, the estimator page, metrics, doctor.

The writes that they start belong to the other features.
"""
