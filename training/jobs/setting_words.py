"""The settings of a job in words, alike on every page that shows them."""

from collections.abc import Mapping
from typing import Any

from lora_pipeline.templatetags.words import NOTHING

LABELS = {
    "preset_id": "Preset",
    "method": "Method",
    "learning_rate": "Learning rate",
    "batch_size": "Batch size",
    "epochs": "Epochs",
    "rank": "Rank",
    "alpha": "Alpha",
    "dropout": "Dropout",
    "max_length": "Max length",
    "packing": "Packing",
    "gradient_checkpointing": "Gradient checkpointing",
    "micro_batch": "Micro-batch",
    "warmup_ratio": "Warmup ratio",
    "scheduler": "Scheduler",
    "seed": "Seed",
}
METHODS = {"lora": "LoRA", "qlora": "QLoRA"}
CHOSEN_BY_US = {"gradient_checkpointing", "micro_batch"}
"""Without a value they are chosen for the model and the machine."""


def setting_words(name: str, value: Any) -> str:
    """A setting's value as people write it."""
    if value is None:
        return "automatic" if name in CHOSEN_BY_US else NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.10f}".rstrip("0").rstrip(".")
    return METHODS.get(value, str(value)) if name == "method" else str(value)


def setting_rows(hyperparameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Label and words of every setting that there is, in the order of LABELS."""
    return [
        (label, setting_words(name, hyperparameters[name]))
        for name, label in LABELS.items()
        if name in hyperparameters
    ]
