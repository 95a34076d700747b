"""Training precision, and the storage of frozen weights."""

import os
from typing import Any

import torch
from peft import prepare_model_for_kbit_training
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


def prepared(model: Any, plan: Plan) -> Any:
    """Norms, embedding and head in float32 if the rest is quantised."""
    model.config.use_cache = False
    if plan.method != QLORA:
        return model
    return prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)


def adapters_in_float32(model: Any) -> None:
    """Adapters in float32: TRL keeps QLoRA's in bfloat16, which loses small updates."""
    for parameter in model.parameters():
        if parameter.requires_grad:
            parameter.data = parameter.data.float()
