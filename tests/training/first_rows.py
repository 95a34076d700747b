"""The GPU types that a new console offers, from the migration that enters them."""

from importlib import import_module
from types import SimpleNamespace

_rules = import_module("training.migrations.0002_rules")
PRELOADED = [
    SimpleNamespace(**{"storage_cost": True} | row)
    for row in _rules.GPU_TYPES
    if row.get("enabled", True)
]
