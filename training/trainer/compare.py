"""Asks the base model and its adapter the same question; prints JSON lines."""

import json
from pathlib import Path
from typing import Any

from adapted import base_folder, load
from ending import ends_of


def compare_answers(
    model: str,
    revision: str | None,
    adapter: Path,
    question: Path,
    max_new_tokens: int,
) -> int:
    """Prints {"stage": …} and {"base" | "adapter": answer} as they happen.

    The model is loaded once; the base model answers with the adapter disabled. Both use
    greedy decoding, so any difference comes from the adapter.
    """
    messages = json.loads(question.read_text())
    say(stage="Loading the base model")
    loaded, tokenizer = load(base_folder(model, revision), adapter)
    say(stage="Base model is answering")
    with loaded.disable_adapter():
        say(base=answer(loaded, tokenizer, messages, max_new_tokens))
    say(stage="Adapter is answering")
    say(adapter=answer(loaded, tokenizer, messages, max_new_tokens))
    return 0


def answer(model: Any, tokenizer: Any, messages: Any, max_new_tokens: int) -> str:
    """The greedy answer to a conversation."""
    import torch

    prompt = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    with torch.inference_mode():
        made = model.generate(
            **prompt,
            do_sample=False,
            max_new_tokens=max_new_tokens,
            eos_token_id=ends_of(model, tokenizer),
            pad_token_id=tokenizer.eos_token_id,
        )
    start = prompt["input_ids"].shape[1]
    return str(tokenizer.decode(made[0][start:], skip_special_tokens=True))


def say(**words: str) -> None:
    """Print one JSON line for the parent process."""
    print(json.dumps(words), flush=True)
