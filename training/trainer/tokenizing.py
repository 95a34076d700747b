"""What a base model's tokenizer lacks for training, filled in or refused."""

import json
from pathlib import Path
from typing import Any

from chatml import CHATML


class UnfitModel(Exception):
    """This base model cannot be trained on this data; the message says what to do."""


def completed(tokenizer: Any, folder: str) -> Any:
    """The tokenizer with a padding token that the model knows, and a chat template.

    It pads with the end token where it has no padding token, or one beyond the model's
    embedding; without a chat template it gets ChatML. Raises UnfitModel.
    """
    known, pad = vocabulary_of(folder), tokenizer.pad_token_id
    if pad is None or (known and pad >= known):
        tokenizer.pad_token = tokenizer.eos_token
    if tokenizer.pad_token is None:
        raise UnfitModel(
            "The base model's tokenizer has neither a padding nor an end token. Set "
            "eos_token in its tokenizer_config.json."
        )
    tokenizer.chat_template = tokenizer.chat_template or CHATML
    return tokenizer


def vocabulary_of(folder: str) -> int:
    """How many tokens the model has an embedding for; 0 if its config does not say."""
    file = Path(folder) / "config.json"
    config = json.loads(file.read_text("utf-8")) if file.is_file() else {}
    inner = config.get("text_config") or config
    return int(inner.get("vocab_size") or 0)
