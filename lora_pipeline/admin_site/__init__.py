"""Base of the admin pages: bounded lists, read-only views, bulk actions.

Each app registers its own admin classes.
"""
