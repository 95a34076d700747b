"""The configuration form; ranges from `domain/limits`, as for the API."""

from typing import Any

from django import forms
from django.conf import settings

from training.domain.config import JobConfig, fill_defaults
from training.domain.limits import GPU_COUNT, LIMITS, SCHEDULERS, Limit, plain
from training.domain.presets import DEFAULT_PRESET, PRESET_IDS, PRESETS
from training.models import BaseModel, GpuType


def limited(limit: Limit, *, label: str) -> forms.Field:
    """A number box whose range and error are the limit's."""
    shown = plain(limit.step) if limit.whole else "any"
    widget = forms.NumberInput(
        attrs={"min": plain(limit.minimum), "max": plain(limit.maximum), "step": shown}
    )
    kind = forms.IntegerField if limit.whole else forms.FloatField

    def check(value: float) -> None:
        if problem := limit.problem(value):
            raise forms.ValidationError(problem)

    words = f"{plain(limit.minimum)} to {plain(limit.maximum)}"
    return kind(
        label=label, widget=widget, validators=[check], help_text=words, localize=False
    )


class ConfigureForm(forms.Form):
    """A whole job, without its dataset."""

    preset_id = forms.ChoiceField(
        label="Preset",
        choices=[(n, n.capitalize()) for n in PRESET_IDS],
        help_text="Choosing one sets the values below to its own.",
    )
    name = forms.CharField(max_length=200, required=False)

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        models = BaseModel.objects.enabled().values_list("id", "name")
        self.fields["base_model"] = forms.ChoiceField(choices=list(models))
        self.fields["gpu_type"] = forms.ChoiceField(
            label="GPU type", choices=[(g.name, _gpu_words(g)) for g in offered()]
        )
        self.fields["gpu_count"] = limited(GPU_COUNT, label="GPU count")
        for name, limit in LIMITS.items():
            words = name.replace("_", " ").capitalize()
            self.fields[name] = limited(limit, label=words)
        self.fields["scheduler"] = forms.ChoiceField(
            choices=[(s, s.replace("_", " ")) for s in SCHEDULERS]
        )

    def config(self) -> JobConfig:
        """The valid form as a configuration."""
        found = self.cleaned_data
        values = {name: found[name] for name in (*LIMITS, "scheduler")}
        return JobConfig(
            gpu_type=found["gpu_type"],
            gpu_count=found["gpu_count"],
            hyperparameters=fill_defaults(values),
            preset_id=found["preset_id"],
            base_model=found["base_model"],
            name=found["name"],
        )


def offered() -> list[GpuType]:
    """Enabled types, connected and fast ones first, CPU after every GPU."""
    found = GpuType.objects.enabled().with_connection()
    return sorted(found, key=lambda gpu: (not is_connected(gpu), gpu.is_cpu))


def is_connected(gpu: GpuType) -> bool:
    """Whether some backend offers the type; asked of `with_connection()` rows."""
    return bool(getattr(gpu, "connected", False))


def _gpu_words(gpu: GpuType) -> str:
    price = f"{gpu.usd_per_hour:.2f} USD/h"
    state = "" if is_connected(gpu) else " (no machine offers it now)"
    return f"{gpu.name}: {price}, {gpu.description}{state}"


def first_values(preset_id: str) -> dict[str, Any]:
    """What the form holds when it is opened, with a preset's values."""
    preset = PRESETS.get(preset_id, DEFAULT_PRESET)
    values: dict[str, Any] = {name: limit.default for name, limit in LIMITS.items()}
    values |= preset.values() | {"preset_id": preset.id, "gpu_count": 1}
    values |= {"gpu_type": offered()[0].name, "scheduler": SCHEDULERS[0]}
    values |= {"base_model": settings.DEFAULT_BASE_MODEL}
    return values | {"learning_rate": plain(values["learning_rate"])}
