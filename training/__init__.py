"""Training: jobs, runs, estimates, adapters, costs, the catalogue of GPUs and models.

Datasets, notices and accounts are apps of their own.
"""
