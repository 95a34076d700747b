"""The project: settings, accounts and the foundation of all apps.

Nothing here knows jobs or datasets; the apps plug in by dotted paths in settings.
"""
