"""Formats of a job's settings, shared by all pages."""

from collections.abc import Mapping
from typing import Any

from lora_pipeline.templatetags.words import NOTHING
from training.domain.setting_labels import METHOD_LABELS, SETTINGS


def setting_text(name: str, value: Any) -> str:
    """A setting's value for display."""
    if value is None:
        return "automatic" if SETTINGS[name].automatic else NOTHING
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.10f}".rstrip("0").rstrip(".")
    return METHOD_LABELS.get(value, str(value)) if name == "method" else str(value)


def setting_rows(hyperparameters: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Label and value of every setting the job has, in the table's order."""
    return [
        (setting.label, setting_text(name, hyperparameters[name]))
        for name, setting in SETTINGS.items()
        if name in hyperparameters
    ]
