"""The base of every admin page: bounded lists, read-only views, actions on many rows.

The admins themselves stand with their app.
"""
