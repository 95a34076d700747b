"""What a base model's folder says of the model: its config and its tokenizer's."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

from datasets.tokens.chat_template import has_chat_template, special_tokens_of
from training.domain.catalogue.suitability import ModelFacts


def facts_of(folder: Path) -> ModelFacts:
    """Facts of a folder with a tokenizer; the dataset's are added by whoever counts."""
    special = special_tokens_of(folder)
    return replace(
        ModelFacts.of(_config(folder / "config.json")),
        has_end=bool({"eos_token", "pad_token"} & special.keys()),
        has_template=has_chat_template(folder),
    )


def _config(file: Path) -> dict[str, Any]:
    try:
        found = json.loads(file.read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return found if isinstance(found, dict) else {}
