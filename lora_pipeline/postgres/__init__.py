"""The embedded server, database roles and row-level security policies.

Tables and queries are in the apps.
"""
