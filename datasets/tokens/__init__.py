"""A base model's tokenizer and chat template: counting, measuring, the training signal.

What is learned is decided in training/trainer/labels.py, which this package calls.
"""
