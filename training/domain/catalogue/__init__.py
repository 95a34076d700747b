"""Built-in facts about models and GPUs: dimensions, speeds, initial rows.

The rows in use are in training/models.
"""
