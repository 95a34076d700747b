"""What is known of models and GPUs beforehand: dimensions, speeds, the first rows.

The rows in use are in training/models.
"""
