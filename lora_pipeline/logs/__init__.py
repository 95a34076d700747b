"""How the console logs: text or JSON, with a request id, without a secret.

Imported by the settings, and so without any of Django's own settings in hand.
"""
