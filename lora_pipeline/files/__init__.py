"""File handling: range downloads, walking live folders, S3 storage.

The apps know which files exist.
"""
