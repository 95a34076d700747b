"""People, their keys and their sessions: signing in, lock-out, who may do what.

The tables are in lora_pipeline/models.py; budgets are in training/costs.
"""
