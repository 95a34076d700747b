"""Base models in which packed sequences do not stay apart."""

LEAKING = frozenset(
    {
        "bamba",
        "biogpt",
        "bloom",
        "falcon",
        "falcon_h1",
        "falcon_mamba",
        "gpt_oss",
        "granitemoehybrid",
        "jamba",
        "lfm2",
        "lfm2_moe",
        "mamba",
        "mamba2",
        "mpt",
        "nemotron_h",
        "opt",
        "qwen3_5",
        "qwen3_5_moe",
        "qwen3_5_moe_text",
        "qwen3_5_text",
        "qwen3_next",
        "recurrent_gemma",
        "rwkv",
        "xglm",
        "zamba",
        "zamba2",
    }
)
"""Model types, as in a config.json. Source: small models of each in transformers 5.23
(2026-11-28), sequence B after A and after A': attention masks that know no packing
(ALiBi, learned positions, attention sinks), and states that run on across the boundary
(Mamba and its like, short convolutions without causal_conv1d)."""

FAMILIES = (
    "bloom",
    "falcon-",
    "falcon_",
    "gpt-oss",
    "jamba",
    "lfm2",
    "mamba",
    "mpt-",
    "opt-",
    "qwen3.5",
    "qwen3-next",
    "rwkv",
    "zamba",
)
"""How such models are called on the hub, where no config.json was read."""


def can_pack(model_type: str, model_id: str = "") -> bool:
    """Whether packing is offered; the trainer itself tries each model before it packs.

    >>> can_pack("llama"), can_pack("falcon"), can_pack("", "openai/gpt-oss-20b")
    (True, False, False)
    """
    if model_type:
        return model_type not in LEAKING
    return not model_id.rpartition("/")[2].lower().startswith(FAMILIES)
