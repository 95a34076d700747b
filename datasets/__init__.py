"""Training data: upload, validation, token counts and pages.

Training jobs are in training/.
"""
