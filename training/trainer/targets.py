"""Which layers an adapter is put on."""

import re
from collections.abc import Iterator
from typing import Any

from peft.utils.transformers_weight_conversion import (
    _MODEL_TO_CONVERSION_PATTERN,
    _MOE_TARGET_MODULE_MAPPING,
)
from torch import nn
from transformers.pytorch_utils import Conv1D

EXPERTS = "experts"
ROUTERS = frozenset({"gate", "router", "shared_expert_gate", "shared_experts_gate"})
LINEAR = (nn.Linear, Conv1D)
# peft.tuners.tuners_utils, _check_lora_target_modules_mamba.
MAMBAS = frozenset({"falcon_h1", "mamba", "mamba2", "falcon_mamba", "nemotron_h"})
UNFIT_IN_MAMBA = frozenset({"out_proj", "conv1d"})
NUMBER = r"\\\.\d+\\\."


def default_targets(model: Any) -> list[str] | str:
    """All linear layers but the output head, experts and routers: by their names, or as
    a pattern of their whole names where experts have layers of the same names.

    PEFT's own "all-linear" puts an adapter on the router and, without dropout, on the
    stacked weights of all experts: 26 to 75 times the weights. What is left here are
    the projections of attention and of dense and shared feed-forward networks.
    """
    names = list(adapted(model))
    unfit = unfit_names(model)
    found = [name for name in names if _last(name) not in unfit]
    if not found:
        raise ValueError(f"{type(model).__name__} has no linear layer to adapt.")
    if unfit or not is_mixture(model):
        return sorted({_last(name) for name in found})
    escaped = (re.escape(name) for name in found)
    return "|".join(sorted({re.sub(NUMBER, r"\\.\\d+\\.", name) for name in escaped}))


def unfit_names(model: Any) -> frozenset[str]:
    """Names that PEFT refuses, or takes for the experts of this kind of model wherever
    they stand.

    It reads adapters of older versions so: `gate_proj` of a DeepSeek model means its
    experts even where a dense or shared layer is called that. Such a layer cannot be
    adapted at all, nor would an adapter of it load again.
    """
    if model.config.model_type in MAMBAS:
        return UNFIT_IN_MAMBA
    family = _MODEL_TO_CONVERSION_PATTERN.get(model.config.model_type, "")
    return frozenset(_MOE_TARGET_MODULE_MAPPING.get(family, ()))


def _last(name: str) -> str:
    return name.rpartition(".")[2]


def is_mixture(model: Any) -> bool:
    """Whether it has experts, of which each token passes through a few."""
    return any(EXPERTS in name.split(".") for name, _ in model.named_modules())


def adapted(model: Any) -> Iterator[str]:
    """The full names of the linear layers that get an adapter."""
    head, mixture = model.get_output_embeddings(), is_mixture(model)
    for name, module in model.named_modules():
        parts = name.split(".")
        routes = mixture and (EXPERTS in parts or ROUTERS & set(parts))
        if isinstance(module, LINEAR) and module is not head and not routes:
            yield name
