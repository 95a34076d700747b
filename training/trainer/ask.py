"""Ask a model, with or without an adapter, and print the answers as JSON."""

import json
import os
import sys
from pathlib import Path

from adapted import load
from compare import answer

os.environ.setdefault("HF_HUB_OFFLINE", "1")


def print_answers(
    model: str, adapter: Path | None, questions: Path, max_new_tokens: int
) -> int:
    """Print a JSON list with the greedy answer to each conversation."""
    loaded, tokenizer = load(model, adapter)
    asked = json.loads(questions.read_text())
    answers = [answer(loaded, tokenizer, chat, max_new_tokens) for chat in asked]
    json.dump(answers, sys.stdout)
    return 0
