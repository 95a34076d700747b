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


def load(folder: str, adapter: Path | None) -> tuple[Any, Any]:
    """The model in float32 with its adapter, and the adapter's tokenizer; without an
    adapter, the base model and its own.

    `adapter` is a PEFT folder; the console extracts the archive.
    Loads only safetensors weights.
    """
    import torch
    from peft import PeftModel
    from transformers import AutoModelForCausalLM, AutoTokenizer

    tokenizer = AutoTokenizer.from_pretrained(
        adapter or folder, trust_remote_code=False
    )
    base = AutoModelForCausalLM.from_pretrained(
        folder, dtype=torch.float32, trust_remote_code=False
    )
    if adapter is None:
        return base.eval(), tokenizer
    return PeftModel.from_pretrained(base, adapter).eval(), tokenizer
