"""Tokens of a conversation while no tokenizer is at hand."""

from collections.abc import Sequence
from typing import Any

from datasets.domain.statistics import NEVER, Measured

ASCII_A_TOKEN = 4.2
OTHERS_A_TOKEN = 1.6
TOKENS_A_MESSAGE = 5


def estimated_tokens(messages: Sequence[dict[str, Any]]) -> Measured:
    """Tokens by kinds of characters, and those of answers as supervised."""
    tokens = supervised = 0
    first = NEVER
    for message in messages:
        count = _text_tokens(message["content"]) + TOKENS_A_MESSAGE
        if message["role"] == "assistant" and message.get("weight", 1):
            supervised += count - TOKENS_A_MESSAGE + 1
            first = tokens + TOKENS_A_MESSAGE - 1 if first == NEVER else first
        tokens += count
    return Measured(
        tokens=tokens,
        supervised=supervised,
        first_learned=first,
        last_end=tokens - 2 if supervised else NEVER,
    )


def _text_tokens(text: str) -> int:
    total = len(text)
    if text.isascii():
        return round(total / ASCII_A_TOKEN)
    plain = len(text.encode("ascii", "ignore"))
    return round(plain / ASCII_A_TOKEN + (total - plain) / OTHERS_A_TOKEN)
