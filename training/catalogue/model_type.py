"""The model type of a base model, as in its config.json."""

import json
from pathlib import Path

from training.models import BaseModel


def model_type_of(model: BaseModel) -> str:
    """As entered, else from the config.json of its folder; empty if unknown."""
    if model.model_type or model.folder is None:
        return model.model_type
    return read_model_type(model.folder / "config.json")


def read_model_type(file: Path) -> str:
    """Empty if there is none."""
    try:
        config = json.loads(file.read_text())
    except (OSError, ValueError):
        return ""
    return str(config.get("model_type", ""))[:50] if isinstance(config, dict) else ""
