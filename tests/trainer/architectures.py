"""Run by the trainer's Python: small models of many kinds, what of them is trained and
whether they pack.

Prints, for each kind, the config.json, the trained weights without and with dropout,
what was adapted, and why it cannot pack (empty if it can).
"""

import json
import logging
import sys
import warnings

sys.path.insert(0, sys.argv[1])

import torch
from peft import LoraConfig, get_peft_model
from separation import require_separate
from stopping import CannotPack
from targets import default_targets
from transformers import CONFIG_MAPPING, AutoModelForCausalLM
from weights import without_dropout

warnings.filterwarnings("ignore")
logging.disable(logging.WARNING)
RANK = 4
COMMON = {
    "vocab_size": 300, "hidden_size": 64, "intermediate_size": 96,
    "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2,
    "max_position_embeddings": 256, "pad_token_id": 0,
}  # fmt: skip
EXPERTS = {"num_experts": 4, "num_experts_per_tok": 2}
OLD = {"n_embd": 64, "n_head": 4, "n_layer": 2}
KINDS = {
    "llama": {}, "mistral": {}, "qwen2": {}, "qwen3": {"head_dim": 32},
    "gemma2": {"head_dim": 32}, "phi3": {}, "mixtral": {"num_local_experts": 4},
    "qwen3_moe": EXPERTS | {"moe_intermediate_size": 32, "head_dim": 32},
    "olmoe": EXPERTS,
    "qwen2_moe": EXPERTS | {"moe_intermediate_size": 32,
                            "shared_expert_intermediate_size": 48},
    "gpt_oss": {"num_local_experts": 4, "num_experts_per_tok": 2, "head_dim": 16},
    "gpt2": OLD, "opt": {"ffn_dim": 96, "word_embed_proj_dim": 64},
    "bloom": {"n_head": 4, "n_layer": 2}, "mamba": {},
    "mpt": {"d_model": 64, "n_heads": 4, "n_layers": 2, "max_seq_len": 256},
    "falcon": {"multi_query": True}, "lfm2": {"full_attn_idxs": [1]},
}  # fmt: skip


def made(kind: str):
    values = COMMON | KINDS[kind]
    config = CONFIG_MAPPING[kind](**values)
    torch.manual_seed(0)
    return AutoModelForCausalLM.from_config(without_dropout(config))


def adapted(kind: str, dropout: float):
    model = made(kind)
    lora = LoraConfig(r=RANK, target_modules=default_targets(model),
                      task_type="CAUSAL_LM", lora_dropout=dropout)  # fmt: skip
    return get_peft_model(model, lora)


def reason(model) -> str:
    try:
        require_separate(model)
    except CannotPack as error:
        return str(error)
    return ""


def of(kind: str) -> dict:
    model = adapted(kind, 0.0)
    names = {n.split(".lora_")[0] for n, p in model.named_parameters()
             if p.requires_grad}  # fmt: skip
    return {
        "config": model.config.to_dict(),
        "trained": [m.get_nb_trainable_parameters()[0]
                    for m in (model, adapted(kind, 0.1))],
        "adapted": sorted({n.rpartition(".")[2] for n in names}),
        "dropouts": sorted({m.p for m in made(kind).modules()
                            if isinstance(m, torch.nn.Dropout)}),
        "cannot_pack": reason(model),
    }  # fmt: skip


print(json.dumps({kind: of(kind) for kind in KINDS}, default=str))
