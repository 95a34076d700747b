"""The same question to the base model and to its adapter; JSON lines as it goes."""

import json
from pathlib import Path
from typing import Any

from adapted import base_folder, load, unpacked


def compare_answers(
    model: str,
    revision: str | None,
    adapter: Path,
    question: Path,
    max_new_tokens: int,
) -> int:
    """Says {"stage": …} and {"base" | "adapter": answer}, each when it is so.

    The model is loaded once; the base model's answer comes with the adapter switched
    off. Both are greedy, so that only the adapter makes a difference.
    """
    messages = json.loads(question.read_text())
    say(stage="Loading the base model")
    with unpacked(adapter) as folder:
        loaded, tokenizer = load(base_folder(model, revision), folder)
    say(stage="The base model answers")
    with loaded.disable_adapter():
        say(base=answer(loaded, tokenizer, messages, max_new_tokens))
    say(stage="The adapter answers")
    say(adapter=answer(loaded, tokenizer, messages, max_new_tokens))
    return 0


def answer(model: Any, tokenizer: Any, messages: Any, max_new_tokens: int) -> str:
    """The greedy answer to a conversation so far."""
    import torch

    prompt = tokenizer.apply_chat_template(
        messages, add_generation_prompt=True, return_tensors="pt", return_dict=True
    )
    with torch.inference_mode():
        made = model.generate(
            **prompt,
            do_sample=False,
            max_new_tokens=max_new_tokens,
            pad_token_id=tokenizer.eos_token_id,
        )
    start = prompt["input_ids"].shape[1]
    return str(tokenizer.decode(made[0][start:], skip_special_tokens=True))


def say(**words: str) -> None:
    """One JSON line for whoever started us."""
    print(json.dumps(words), flush=True)
