"""Run by the trainer's Python: the tiny model, spoiled in one way."""

import sys
from pathlib import Path

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

POISON = "~"


def main(source: Path, target: Path, how: str) -> None:
    """`poisoned`: one character of a text makes every loss NaN. `flat`: the head is
    zero, so that no gradient comes through it.
    """
    tokenizer = AutoTokenizer.from_pretrained(source)
    model = AutoModelForCausalLM.from_pretrained(source, dtype=torch.float32)
    with torch.no_grad():
        if how == "poisoned":
            token = tokenizer.convert_tokens_to_ids(POISON)
            model.get_input_embeddings().weight[token] = float("nan")
        else:
            model.get_output_embeddings().weight.zero_()
    model.save_pretrained(target)
    tokenizer.save_pretrained(target)


main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3])
