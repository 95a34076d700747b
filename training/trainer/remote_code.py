"""Models that bring Python code of their own: only with an operator's leave."""

import json
from pathlib import Path
from typing import Any

from explain import ModelNotFound

WORDS = (
    "The base model {id} brings Python code of its own, which is not run here. "
    "An operator who has read that code may allow it with REMOTE_CODE_MODELS={id}."
)


def runs_code(model: dict[str, Any]) -> bool:
    """Whether an operator allowed this model's own code."""
    return bool(model.get("remote_code"))


def refuse_unknown_code(model: dict[str, Any], folder: str) -> None:
    """Raises ModelNotFound for a model that transformers cannot load by itself.

    `auto_map` in a config.json names classes in the model's own files. Where
    transformers knows the model type, its own class is taken and they stay unused.
    """
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    config = _config(folder)
    known = config.get("model_type") in CONFIG_MAPPING_NAMES
    if "auto_map" in config and not known and not runs_code(model):
        raise ModelNotFound(WORDS.format(id=model["id"]))


def _config(folder: str) -> dict[str, Any]:
    """Empty where there is none to read: loading it then says so."""
    try:
        found = json.loads((Path(folder) / "config.json").read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
