"""The embedded server, the database roles and the row security policies.

Tables and queries are with the apps.
"""
