"""GPU types, presets and base models: the API, detecting this machine, adding a model.

The tables are in models/; the first rows in domain/catalogue.
"""
