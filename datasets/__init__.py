"""Training data: uploading it, checking it, counting it, showing it.

What is trained on it is in training/.
"""
