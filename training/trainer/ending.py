"""The token that ends the learned turns, which is where an answer is to stop.

A base model's end-of-text is often another one: the base models of Qwen2.5 end texts
with <|endoftext|>, their chat template ends turns with <|im_end|>. An adapter that has
learned to write <|im_end|> would run on where only <|endoftext|> stops it.
"""

from collections import Counter
from typing import Any


def learned_end(tokenizer: Any, ends: Counter[int]) -> int | None:
    """The special token that ended most learned turns, None where none did."""
    special = {*tokenizer.all_special_ids} | {
        number for number, t in tokenizer.added_tokens_decoder.items() if t.special
    }
    known = [number for number, _ in ends.most_common() if number in special]
    return known[0] if known else None


def end_with(tokenizer: Any, end: int | None) -> None:
    """Make a token the tokenizer's end token, without changing what it renders."""
    if end is None or end == tokenizer.eos_token_id:
        return
    before = tokenizer.eos_token
    template = tokenizer.chat_template
    if before and isinstance(template, str) and "eos_token" in template:
        text = before.replace("\\", "\\\\").replace("'", "\\'")
        tokenizer.chat_template = f"{{%- set eos_token = '{text}' -%}}{template}"
    tokenizer.eos_token = tokenizer.convert_ids_to_tokens(end)


def ends_of(model: Any, tokenizer: Any) -> list[int]:
    """Where an answer stops: the tokenizer's end token, and the model's own ones."""
    own = model.generation_config.eos_token_id
    known = [tokenizer.eos_token_id, *(own if isinstance(own, list) else [own])]
    return list(dict.fromkeys(number for number in known if number is not None))
