"""For operators: the admin, the fleet and estimator pages, metrics, doctor checks.

The writes behind them are in the other features.
"""
