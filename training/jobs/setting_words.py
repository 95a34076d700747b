"""Labels and formats of a job's settings, shared by all pages."""

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
"""Settings that are chosen automatically if they have no value."""


def setting_words(name: str, value: Any) -> str:
    """A setting's value for display."""
    if value is None:
        return "automatic" if name in CHOSEN_BY_US else NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.10f}".rstrip("0").rstrip(".")
    return METHODS.get(value, str(value)) if name == "method" else str(value)


def setting_rows(hyperparameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Label and value of every setting the job has, in the order of LABELS."""
    return [
        (label, setting_words(name, hyperparameters[name]))
        for name, label in LABELS.items()
        if name in hyperparameters
    ]
