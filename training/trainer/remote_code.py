"""Models with their own Python code: only with an operator's permission."""

import json
from pathlib import Path
from typing import Any

from explain import ModelNotFound

WORDS = (
    "The base model {id} comes with its own Python code, which is not run here. "
    "An operator who has reviewed it can allow it with REMOTE_CODE_MODELS={id}."
)


def runs_code(model: dict[str, Any]) -> bool:
    """Whether an operator allowed this model's own code."""
    return bool(model.get("remote_code"))


def refuse_unknown_code(model: dict[str, Any], folder: str) -> None:
    """Raises ModelNotFound for a model that needs its own code and is not allowed.

    `auto_map` in a config.json names classes in the model's own files. If transformers
    knows the model type, it uses its own class instead.
    """
    from transformers.models.auto.configuration_auto import CONFIG_MAPPING_NAMES

    config = _config(folder)
    known = config.get("model_type") in CONFIG_MAPPING_NAMES
    if "auto_map" in config and not known and not runs_code(model):
        raise ModelNotFound(WORDS.format(id=model["id"]))


def _config(folder: str) -> dict[str, Any]:
    """The config, or empty if there is none: loading then reports that."""
    try:
        found = json.loads((Path(folder) / "config.json").read_text())
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
