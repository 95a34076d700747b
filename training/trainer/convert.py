"""Converts a GGUF file to a standard model folder with float32 weights."""

import shutil
from pathlib import Path


def convert_gguf(source: Path, target: Path, max_length: int) -> int:
    """Dequantise and save; the folder gets its name only when complete."""
    import torch
    from transformers import AutoModelForCausalLM, AutoTokenizer, GgufConfig

    where = {"pretrained_model_name_or_path": str(source.parent)}
    print("reading the GGUF file", flush=True)
    model = AutoModelForCausalLM.from_pretrained(
        **where,
        gguf_file=source.name,
        quantization_config=GgufConfig(dequantize=True),
        dtype=torch.float32,
    )
    tokenizer = AutoTokenizer.from_pretrained(**where, gguf_file=source.name)
    tokenizer.model_max_length = max_length
    part = target.with_name(target.name + ".part")
    shutil.rmtree(part, ignore_errors=True)
    print("saving the model folder", flush=True)
    model.save_pretrained(part)
    tokenizer.save_pretrained(part)
    part.rename(target)
    return 0
