"""Reading an uploaded file: its container, its format, every fault by line, its splits.

The formats themselves are in domain/; counting tokens is in tokens/.
"""
