"""Users, API keys and sessions: sign-in, lockout, permissions.

The tables are in lora_pipeline/models.py; budgets are in training/costs.
"""
