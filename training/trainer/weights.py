"""Training precision, and the storage of frozen weights."""

import os
from typing import Any

import torch
from spec import QLORA, Plan
from transformers import BitsAndBytesConfig


def compute_dtype() -> torch.dtype:
    """float32 on a CPU, bfloat16 on a GPU that supports it, else float16."""
    if not torch.cuda.is_available():
        return torch.float32
    native = torch.cuda.is_bf16_supported(including_emulation=False)
    return torch.bfloat16 if native else torch.float16


def loading_options(plan: Plan) -> dict[str, Any]:
    """Arguments of `from_pretrained`: for QLoRA, NF4 with double quantisation."""
    dtype = compute_dtype()
    if plan.method != QLORA:
        return {"dtype": dtype}
    quantisation = BitsAndBytesConfig(
        load_in_4bit=True,
        bnb_4bit_quant_type="nf4",
        bnb_4bit_use_double_quant=True,
        bnb_4bit_compute_dtype=dtype,
    )
    options = {"dtype": dtype, "quantization_config": quantisation}
    if torch.cuda.is_available():
        options["device_map"] = {"": int(os.environ.get("LOCAL_RANK", "0"))}
    return options


def without_dropout(config: Any) -> Any:
    """The model's config with its own dropout off, as GPT-2's of 0.1.

    The base is frozen, so what is meant by a job's dropout is the adapter's alone.
    """
    for part in (config, config.get_text_config()):
        for name, value in vars(part).items():
            if "drop" in name and isinstance(value, float):
                setattr(part, name, 0.0)
    return config


def prepared(model: Any, plan: Plan) -> Any:
    """Frozen, and the norms in float32 if the rest is quantised.

    PEFT's own preparation also turns embedding, head and with them the residual stream
    into float32: 2 to 3 GiB and twice the activations of a model of 8B.
    """
    model.config.use_cache = False
    model.requires_grad_(False)
    if plan.method == QLORA:
        for module in model.modules():
            if "norm" in type(module).__name__.lower():
                module.float()
    return model


def adapters_in_float32(model: Any) -> None:
    """Adapters in float32: TRL keeps QLoRA's in bfloat16, which loses small updates."""
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
