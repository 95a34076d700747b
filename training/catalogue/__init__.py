"""GPU types, presets and base models: API, hardware detection, adding models.

The tables are in models/; their initial rows in domain/catalogue.
"""
