"""Costs: charges, monthly budgets, the page and the API.

Estimates are in estimates/.
"""
