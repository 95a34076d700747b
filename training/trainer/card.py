"""The adapter's model card."""

from dataclasses import asdict
from typing import Any

from spec import Spec

LOADING = """```python
from peft import AutoPeftModelForCausalLM
from transformers import AutoTokenizer

model = AutoPeftModelForCausalLM.from_pretrained("path/to/this/folder")
tokenizer = AutoTokenizer.from_pretrained("path/to/this/folder")
```"""


def model_card(spec: Spec, history: list[dict[str, Any]]) -> str:
    """README.md of the adapter: lineage, losses and how to load it."""
    losses = [entry["loss"] for entry in history if "loss" in entry]
    held_out = [entry["eval_loss"] for entry in history if "eval_loss" in entry]
    model = spec.base_model
    lines = [
        "---",
        f"base_model: {model['id']}",
        "library_name: peft",
        "pipeline_tag: text-generation",
        "tags: [lora, sft]",
        "---",
        f"# LoRA adapter for {model['id']}",
        "",
        "Trained with LoRA Pipeline.",
        "",
        "| | |",
        "|---|---|",
        f"| base model | {model['id']} |",
        f"| dataset | {spec.dataset['name']} |",
        f"| dataset sha256 | {spec.dataset['sha256']} |",
        f"| training sequences | {spec.dataset['train_pairs']} |",
        f"| first and last training loss | {_ends(losses)} |",
        f"| first and last validation loss | {_ends(held_out)} |",
        *(f"| {k} | {v} |" for k, v in asdict(spec.hyperparameters).items()),
        "",
        *([model["note"], ""] if model["note"] else []),
        *([f"sha256 of the base: {model['sha256']}", ""] if model["sha256"] else []),
        "## How to load it",
        "",
        LOADING,
        "",
    ]
    return "\n".join(lines)


def _ends(losses: list[float]) -> str:
    return f"{losses[0]:.4f}, {losses[-1]:.4f}" if losses else "none"
