"""Tokenizers and chat templates: token counts, statistics, the training signal.

Labels are decided in training/trainer/labels.py, which this package calls.
"""
