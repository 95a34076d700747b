"""Admin forms of the catalogue, with clear error messages."""

import re
from pathlib import Path
from typing import Any

from django import forms
from django.conf import settings

from training.models import BaseModel

PRECISIONS = ("fp32", "fp16", "bf16", "fp8")
GPU_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*", re.ASCII)
POSITIVE = (
    "memory_gb", "bandwidth_gb_per_second", "link_gb_per_second", "capacity_gib",
)  # fmt: skip


class GpuTypeForm(forms.ModelForm):  # type: ignore[type-arg]
    """A GPU type; its specifications go into every estimate."""

    def clean_name(self) -> str:
        """Raises ValidationError for a name that is not valid in a request."""
        name = str(self.cleaned_data["name"])
        if not GPU_NAME.fullmatch(name):
            raise forms.ValidationError(
                f"Received {name!r}: use letters, digits, '.', '_' and '-', such as "
                "A100-80GB."
            )
        return name

    def clean_usd_per_hour(self) -> Any:
        """Raises ValidationError for a negative price."""
        price = self.cleaned_data["usd_per_hour"]
        if price < 0:
            words = f"Received {price}; must be at least 0.00 USD per GPU-hour."
            raise forms.ValidationError(words)
        return price

    def clean_peak_tflops(self) -> Any:
        """Raises ValidationError unless it maps precisions to numbers."""
        given = self.cleaned_data["peak_tflops"] or {}
        if not isinstance(given, dict) or not all(map(_is_positive, given.values())):
            raise forms.ValidationError(
                f"Received {given!r}; must map precisions to numbers above 0, such "
                'as {"fp32": 19.5, "bf16": 312}.'
            )
        if unknown := sorted(set(given) - set(PRECISIONS)):
            raise forms.ValidationError(
                f"Received {', '.join(unknown)}; allowed are {', '.join(PRECISIONS)}."
            )
        if given and "fp32" not in given:
            words = "fp32 is missing. It is the fallback for estimates."
            raise forms.ValidationError(words)
        return given

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        for name in POSITIVE:
            if (value := cleaned.get(name)) is not None and not _is_positive(value):
                words = f"Received {value}; must be a finite number above 0, or empty."
                self.add_error(name, words)
        return cleaned


def _is_positive(value: Any) -> bool:
    number = isinstance(value, (int, float)) and not isinstance(value, bool)
    return number and 0 < value < float("inf")


class BaseModelForm(forms.ModelForm):  # type: ignore[type-arg]
    """A base model; `manage.py add_base_model` also reads its dimensions."""

    def clean(self) -> dict[str, Any]:
        cleaned = super().clean() or {}
        source, path = cleaned.get("source"), str(cleaned.get("path") or "")
        if source == BaseModel.Source.FOLDER and not _has_config(path):
            words = (
                f"Received {path!r}; a local model needs the path of a folder with a "
                f"config.json, absolute as the web server sees it, or below "
                f"{settings.MODELS_DIR}."
            )
            self.add_error("path", words)
        if self.instance.pk == settings.DEFAULT_BASE_MODEL and not cleaned["enabled"]:
            words = (
                "This is the default base model for jobs that do not name one. Set "
                "DEFAULT_BASE_MODEL to another one before you disable it."
            )
            self.add_error("enabled", words)
        return cleaned


def _has_config(path: str) -> bool:
    folder = Path(settings.MODELS_DIR) / path
    return bool(path) and (folder / "config.json").is_file()
