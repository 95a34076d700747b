"""An Architecture from a Hugging Face `config.json`, already parsed."""

from collections.abc import Mapping
from typing import Any

from training.domain.catalogue.architecture import Architecture


class UnknownArchitecture(ValueError):
    """The config is of a model type whose parameters cannot be counted exactly."""

    def __init__(self, model_type: object) -> None:
        known = ", ".join(sorted(_KINDS))
        super().__init__(
            f"Received the model type {model_type!r}; supported are {known}. Add its "
            "dimensions manually in the admin."
        )


# What the model types add beyond a plain Llama; sources: modeling_*.py of transformers.
_KINDS: dict[str, dict[str, Any]] = {
    "llama": {},
    "mistral": {},
    "phi3": {"fused_projections": True},
    "qwen2": {"qkv_bias": True},
    "qwen3": {"head_norm": "per_head"},
    "gemma2": {"norms_per_layer": 4, "tied_embeddings": True},
    "mixtral": {},
    "qwen3_moe": {"head_norm": "per_head"},
    "olmoe": {"head_norm": "whole"},
}


def architecture_from_config(config: Mapping[str, Any]) -> Architecture:
    """The dimensions that a config.json states.

    Raises UnknownArchitecture for a model type that is not listed here, ValueError
    with the name of a missing key.
    """
    kind = _KINDS.get(config.get("model_type", ""))
    if kind is None:
        raise UnknownArchitecture(config.get("model_type"))
    heads = _number(config, "num_attention_heads")
    key_value_heads = config.get("num_key_value_heads") or heads
    width = config.get("head_dim") or _number(config, "hidden_size") // heads
    query, key_value = heads * width, key_value_heads * width
    extras = dict(kind)
    norm = extras.pop("head_norm", None)
    tied = extras.pop("tied_embeddings", bool(config.get("tie_word_embeddings")))
    biased = bool(config.get("attention_bias"))
    experts = config.get("num_local_experts") or config.get("num_experts") or 0
    return Architecture(
        layers=_number(config, "num_hidden_layers"),
        hidden=_number(config, "hidden_size"),
        ffn=config.get("moe_intermediate_size") or _number(config, "intermediate_size"),
        query=query,
        key_value=key_value,
        vocabulary=_number(config, "vocab_size"),
        tied_embeddings=tied,
        experts=experts,
        experts_per_token=config.get("num_experts_per_tok", 0) if experts else 0,
        qkv_bias=extras.pop("qkv_bias", biased),
        output_bias=biased and config["model_type"] == "llama",
        ffn_bias=bool(config.get("mlp_bias")),
        head_norm={None: 0, "per_head": 2 * width, "whole": query + key_value}[norm],
        **extras,
    )


def _number(config: Mapping[str, Any], key: str) -> int:
    value = config.get(key)
    if not isinstance(value, int) or value < 1:
        raise ValueError(f"config.json has {value!r} under {key}; must be an integer.")
    return value
