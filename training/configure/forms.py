"""The configuration form; its ranges come from `domain/limits`, as in the API."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation
from typing import Any, TypedDict

from django import forms
from django.conf import settings

from lora_pipeline.names import unknown_names
from training.domain import presets
from training.domain.config import JobConfig, fill_defaults
from training.domain.limits import (
    GPU_COUNT,
    LIMITS,
    OPTIONAL,
    REQUIRED,
    SCHEDULERS,
    Limit,
    plain,
)
from training.domain.method import LORA, QLORA
from training.domain.presets import DEFAULT_PRESET, PRESET_IDS
from training.domain.setting_labels import METHOD_LABELS, SETTINGS, SettingLabel
from training.estimates import lookup
from training.estimates.checked import CheckedConfig
from training.estimates.lookup import Catalogue, is_connected
from training.estimates.rules import find_problems
from training.estimates.serializers import ALSO_CALLED
from training.models import BaseModel, GpuType

LABELS = {"gpu_count": SettingLabel(label="GPUs"), **SETTINGS}
FORM_NAMES = {
    "gpu_config.type": "gpu_type",
    "gpu_config.count": "gpu_count",
    "hyperparameters.method": "method",
    "hyperparameters.micro_batch": "micro_batch",
    "hyperparameters.packing": "packing",
}
BUTTONS = ("start", "update", "set_preset", "apply_change")
BESIDE = frozenset({"datasetId", "csrfmiddlewaretoken", *BUTTONS})
"""What the page sends beside the values of the form."""
UNSENT = ("csrfmiddlewaretoken", "submission", "estimated_cost", "confirm_memory")
METHOD_CHOICES = [
    (LORA, METHOD_LABELS[LORA]),
    (QLORA, f"{METHOD_LABELS[QLORA]} (4-bit weights)"),
]
SWITCHES = (
    "packing",
    "gradient_checkpointing",
    "load_best_model_at_end",
    "use_rslora",
)
CHOSEN = (*LIMITS, *OPTIONAL, *SWITCHES, "scheduler", "method")
AMOUNT_ERRORS = (
    "invalid",
    "min_value",
    "max_digits",
    "max_decimal_places",
    "max_whole_digits",
)
AMOUNT_WORDS = (
    "Enter an amount in USD from 0 to 99,999,999.9999, or leave it empty for no cap."
)
AUTOMATIC, ON, OFF = "auto", "on", "off"
SWITCH = {AUTOMATIC: None, ON: True, OFF: False}


class FieldTexts(TypedDict):
    """A form field's label and explanation."""

    label: str
    help_text: str


def labelled(name: str) -> FieldTexts:
    """A setting's label and explanation."""
    texts = LABELS[name]
    return {"label": texts.label, "help_text": texts.help_text}


def switch(name: str, words: dict[str, str]) -> forms.TypedChoiceField:
    """On or off, or automatic where that is allowed."""
    return forms.TypedChoiceField(
        **labelled(name),
        required=False,
        choices=list(words.items()),
        coerce=SWITCH.__getitem__,
        empty_value=SWITCH[next(iter(words))],  # type: ignore[arg-type]
    )


def limited(name: str, limit: Limit) -> forms.Field:
    """A number box with slider data; range and error come from the limit."""
    attrs = {"min": plain(limit.minimum), "max": plain(limit.maximum)}
    attrs |= {"step": plain(limit.step) if limit.whole else "any"}
    attrs |= {"inputmode": "numeric" if limit.whole else "decimal"}
    attrs |= {"autocomplete": "off", "aria-describedby": f"{name}-words {name}-error"}
    kind = forms.IntegerField if limit.whole else forms.FloatField
    allowed = f"{plain(limit.minimum)} to {plain(limit.maximum)}"
    whole = "an integer" if limit.whole else "a number"
    words = f"Must be {whole} from {allowed}."

    def check(value: float) -> None:
        if problem := limit.problem(value):
            raise forms.ValidationError(problem)

    field = kind(
        **labelled(name),
        widget=forms.NumberInput(attrs=attrs),
        validators=[check],
        error_messages={"required": words, "invalid": words},
    )
    field.slider = {  # type: ignore[attr-defined]
        "minimum": plain(limit.minimum),
        "maximum": plain(limit.slider_maximum or limit.maximum),
        "step": plain(limit.step),
        "allowed": allowed,
    }
    return field


class ConfigureForm(forms.Form):
    """A complete job configuration, except the dataset."""

    preset_id = forms.ChoiceField(
        label=SETTINGS["preset_id"].label, choices=[(n, n) for n in PRESET_IDS]
    )
    name = forms.CharField(
        label="Name",
        max_length=200,
        required=False,
        help_text="Defaults to the dataset's name and the preset.",
    )
    scheduler = forms.ChoiceField(
        **labelled("scheduler"),
        required=False,
        choices=[(s, s.replace("_", " ")) for s in SCHEDULERS],
    )
    method = forms.ChoiceField(
        **labelled("method"),
        required=False,
        choices=METHOD_CHOICES,
    )
    packing = switch("packing", {OFF: "off", ON: "on"})
    use_rslora = switch("use_rslora", {OFF: "off", ON: "on"})
    load_best_model_at_end = switch("load_best_model_at_end", {OFF: "off", ON: "on"})
    gradient_checkpointing = switch(
        "gradient_checkpointing", {AUTOMATIC: "automatic", ON: "on", OFF: "off"}
    )
    confirm_memory = forms.BooleanField(required=False)
    max_cost = forms.DecimalField(
        label="Cost cap in USD",
        required=False,
        min_value=Decimal(0),
        max_digits=12,
        decimal_places=4,
        help_text="Empty: no cap. Reserved from your budget instead of the estimate.",
        error_messages=dict.fromkeys(AMOUNT_ERRORS, AMOUNT_WORDS),
    )
    submission = forms.CharField(
        required=False, max_length=64, widget=forms.HiddenInput
    )
    estimated_cost = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(
        self, data: Mapping[str, Any], *, machines: Sequence[GpuType], **options: Any
    ) -> None:
        super().__init__(data, **options)
        self.machines = {gpu.name: gpu for gpu in machines}
        self.models = {model.pk: model for model in BaseModel.objects.enabled()}
        self.fields["base_model"] = forms.ChoiceField(
            label="Base model",
            required=False,
            choices=[(model.pk, model.name) for model in self.models.values()],
        )
        self.fields["gpu_type"] = forms.ChoiceField(
            label="GPU type", choices=[(name, name) for name in self.machines]
        )
        self.fields["gpu_count"] = limited("gpu_count", GPU_COUNT)
        for name, limit in LIMITS.items():
            self.fields[name] = limited(name, limit)
            self.fields[name].required = name in REQUIRED
        for name, limit in OPTIONAL.items():
            self.fields[name] = limited(name, limit)
            self.fields[name].required = False

    def clean(self) -> dict[str, Any]:
        """The catalogue's rules, shared with the API."""
        found = self.cleaned_data
        given = set(self.data) - BESIDE
        for name, word in unknown_names(given, self.fields, ALSO_CALLED).items():
            self.add_error(None, f"{name}: {word}")
        problems = find_problems(
            gpu_type=None,
            gpu_count=found.get("gpu_count"),
            base_model=found.get("base_model", ""),
            found=self.found(),
            chosen=found,
        )
        for name, words in problems.by_field.items():
            self.add_error(FORM_NAMES.get(name, name), words)
        return found

    def found(self) -> Catalogue:
        """The catalogue's rows for the selection, from the lists already loaded."""
        asked = self.cleaned_data.get("base_model") or settings.DEFAULT_BASE_MODEL
        machines = tuple(self.machines.values())
        return Catalogue(
            gpu=self.machines.get(self.cleaned_data.get("gpu_type", "")),
            model_is_known=True,
            model=self.models.get(asked),
            machines=machines,
            version=getattr(machines[0], "version", 0) if machines else 0,
        )

    def checked(self) -> CheckedConfig:
        """The cleaned form as a configuration, with the rows that it was checked by."""
        gpu = self.machines[self.cleaned_data["gpu_type"]]
        return CheckedConfig(config=self._config(), gpu=gpu, found=self.found())

    def _config(self) -> JobConfig:
        found = self.cleaned_data
        chosen = {name: found[name] for name in CHOSEN if found[name] != ""}
        values = fill_defaults(chosen)
        return JobConfig(
            gpu_type=found["gpu_type"],
            gpu_count=found["gpu_count"],
            hyperparameters=values,
            preset_id=presets.name_of(found["preset_id"], values.as_dict()),
            base_model=found["base_model"],
            name=found["name"],
            quoted_cost=_money(found["estimated_cost"]),
            max_cost=found["max_cost"],
            confirm_memory=found["confirm_memory"],
        )

    def preset_shown(self) -> str:
        """The preset that matches the form's values, else `custom`."""
        if self.errors:
            return presets.CUSTOM
        values = fill_defaults({name: self.cleaned_data[name] for name in LIMITS})
        return presets.matching(values.as_dict())


def _money(text: str) -> Decimal | None:
    """The cost shown on the page; None if it is malformed."""
    try:
        value = Decimal(text).quantize(Decimal("0.01"))
    except InvalidOperation:
        return None
    return value if 0 <= value < Decimal(10**8) else None


def offered() -> list[GpuType]:
    """Enabled types: connected first, fastest first, CPU last."""
    found = lookup.offered()
    return sorted(found, key=lambda gpu: (not is_connected(gpu), gpu.is_cpu))


def first_values(machines: Sequence[GpuType]) -> dict[str, Any]:
    """Initial values of the form: the default preset and the first machine."""
    values: dict[str, Any] = {n: plain(limit.default) for n, limit in LIMITS.items()}
    values |= preset_values(DEFAULT_PRESET.id)
    values |= {"gpu_type": machines[0].name if machines else "", "gpu_count": "1"}
    values |= {"scheduler": SCHEDULERS[0], "name": "", "max_cost": ""}
    values |= {"method": LORA, "packing": OFF, "gradient_checkpointing": AUTOMATIC}
    values |= {"load_best_model_at_end": OFF, "use_rslora": OFF}
    values |= {**dict.fromkeys(OPTIONAL, "")}
    return values | {"base_model": settings.DEFAULT_BASE_MODEL}


def form_text(name: str, value: Any) -> str:
    """A job's hyperparameter as a form value."""
    if name in SWITCHES:
        return next(word for word, meant in SWITCH.items() if meant is value)
    if value is None or isinstance(value, str):
        return value or ""
    return plain(value)


def preset_values(preset_id: str) -> dict[str, str]:
    """A preset's values as form values; empty for an unknown preset."""
    preset = presets.PRESETS.get(preset_id)
    return {} if preset is None else preset.texts() | {"preset_id": preset.id}
