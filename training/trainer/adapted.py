"""Loads a base model with its adapter for inference."""

import os
import sys
from pathlib import Path
from typing import Any


def base_folder(model: str, revision: str | None) -> str:
    """The base model's folder: a given folder, or downloaded from the hub by id."""
    if Path(model).is_dir():
        os.environ["HF_HUB_OFFLINE"] = "1"
        return model
    from hub import fetch

    return fetch(model, revision, lambda words: print(words, file=sys.stderr))


def load(folder: str, adapter: Path) -> tuple[Any, Any]:
    """The model with its adapter in float32, and the adapter's tokenizer.

    `adapter` is a PEFT folder; the console extracts the archive.
    Loads only safetensors weights.
    """
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(adapter, trust_remote_code=False)
    base = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, trust_remote_code=False
    )
    return PeftModel.from_pretrained(base, adapter).eval(), tokenizer
