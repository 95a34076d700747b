"""Serializers of an estimate request."""

import re
from typing import Any

from rest_framework import serializers

from lora_pipeline.api.envelope import flatten
from lora_pipeline.api.fields import BodySerializer, StrictSerializer, Text
from training.domain.config import JobConfig, fill_defaults
from training.domain.limits import GPU_COUNT, LIMITS, OPTIONAL, REQUIRED, SCHEDULERS
from training.domain.method import METHODS
from training.domain.presets import CUSTOM, PRESET_IDS
from training.domain.priority import PRIORITIES, USERS_PRIORITIES
from training.estimates.checked import CheckedConfig
from training.estimates.fields import Choice, Flag, LimitField, RowKey, Usd
from training.estimates.lookup import Catalogue, look_up
from training.estimates.rules import find_problems

SURROGATES = re.compile("[\ud800-\udfff]")
ALSO_CALLED = {
    "lr": "learning_rate",
    "learning_rate_multiplier": "learning_rate",
    "r": "rank",
    "lora_r": "rank",
    "lora_rank": "rank",
    "lora_alpha": "alpha",
    "lora_dropout": "dropout",
    "max_steps": "epochs",
    "n_epochs": "epochs",
    "num_epochs": "epochs",
    "num_train_epochs": "epochs",
    "max_seq_length": "max_length",
    "max_seq_len": "max_length",
    "cutoff_len": "max_length",
    "per_device_train_batch_size": "micro_batch",
    "gradient_accumulation_steps": "micro_batch",
    "lr_scheduler_type": "scheduler",
    "lr_scheduler": "scheduler",
    "warmup": "warmup_ratio",
    "sample_packing": "packing",
    "load_in_4bit": "method",
    "rslora": "use_rslora",
    "neftune_alpha": "neftune_noise_alpha",
    "gradient_clipping": "max_grad_norm",
    "max_gradient_norm": "max_grad_norm",
    "num_warmup_steps": "warmup_steps",
    "evaluation_steps": "eval_steps",
    "evals_per_epoch": "eval_steps",
    "patience": "early_stopping_patience",
    "early_stopping": "early_stopping_patience",
    "min_delta": "early_stopping_threshold",
    "keep_best": "load_best_model_at_end",
    "quantization": "method",
}
"""Settings of TRL, PEFT, Axolotl, LLaMA-Factory and OpenAI, by our names."""


def method_fields() -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    """Training method options; null means automatic, by the epoch, or off."""
    return {
        "method": Choice(METHODS, required=False),
        "packing": Flag(required=False),
        "gradient_checkpointing": Flag(required=False, allow_null=True),
        "load_best_model_at_end": Flag(required=False),
        "use_rslora": Flag(required=False),
    } | {
        name: LimitField(limit, required=False, allow_null=True)
        for name, limit in OPTIONAL.items()
    }


class GpuConfigSerializer(StrictSerializer):
    """GPU type and count."""

    type = Text(max_length=50, trim_whitespace=False)
    count = LimitField(GPU_COUNT)


class HyperparametersSerializer(StrictSerializer):
    """Hyperparameters; four are required, the others have defaults."""

    also_called = ALSO_CALLED

    scheduler = Choice(SCHEDULERS, required=False)

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        for name, limit in LIMITS.items():
            fields[name] = LimitField(limit, required=name in REQUIRED)
        return fields | method_fields()


def _text(value: Any) -> str | None:
    """A string that may identify a row, else None; its field reports the error."""
    usable = isinstance(value, str) and "\0" not in value
    return value or None if usable and not SURROGATES.search(value) else None


class EstimateRequest(BodySerializer):
    """The body of an estimate request: that of a job, with or without its preset."""

    also_called = ALSO_CALLED | {n: f"hyperparameters.{n}" for n in REQUIRED}
    found: Catalogue

    dataset_id = RowKey()
    gpu_config = GpuConfigSerializer()
    hyperparameters = HyperparametersSerializer()
    base_model = Text(
        max_length=200, required=False, allow_blank=True, trim_whitespace=False
    )

    preset_id = Choice(PRESET_IDS, required=False)
    name = Text(max_length=200, required=False, allow_blank=True)
    estimated_cost = Usd(required=False, allow_null=True)
    max_cost = Usd(required=False, allow_null=True)
    scheduler = Choice(SCHEDULERS, required=False)
    priority = Choice(USERS_PRIORITIES, required=False)
    confirm_memory = Flag(required=False)

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        for name, limit in LIMITS.items():
            if name not in REQUIRED:
                fields[name] = LimitField(limit, required=False)
        return fields | method_fields()

    def to_internal_value(self, data: Any) -> Any:
        """All errors at once: of single fields and from the catalogue."""
        faults: dict[str, list[str]] = {}
        values: Any = None
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            faults = flatten(error.detail)
        for name, words in self._row_faults(data).items():
            faults.setdefault(name, words)
        if faults:
            raise serializers.ValidationError(faults)
        return values

    def _row_faults(self, data: Any) -> dict[str, list[str]]:
        body = data if isinstance(data, dict) else {}
        gpu = body.get("gpu_config")
        asked = gpu if isinstance(gpu, dict) else {}
        gpu_type, model = _text(asked.get("type")), _text(body.get("base_model"))
        count: Any = asked.get("count")
        self.found = look_up(gpu_type=gpu_type or "", base_model=model or "")
        return find_problems(
            gpu_type=gpu_type,
            gpu_count=None if GPU_COUNT.problem(count) else int(count),
            base_model=model or "",
            found=self.found,
            chosen=self._given(body),
        ).by_field

    def _given(self, body: dict[str, Any]) -> dict[str, Any]:
        """The raw hyperparameters, nested or top-level, including invalid ones."""
        inside = body.get("hyperparameters")
        return body | (inside if isinstance(inside, dict) else {})

    def checked(self) -> CheckedConfig:
        """The valid body as a configuration, with the rows that it was checked by."""
        if (gpu := self.found.gpu) is None:
            raise ValueError("Call is_valid first: it refuses an unknown GPU type.")
        return CheckedConfig(config=self._config(), gpu=gpu, found=self.found)

    def _config(self) -> JobConfig:
        body = self.validated_data
        return JobConfig(
            gpu_type=body["gpu_config"]["type"],
            gpu_count=body["gpu_config"]["count"],
            hyperparameters=fill_defaults(self._flat(body)),
            preset_id=body.get("preset_id", CUSTOM),
            base_model=body.get("base_model", ""),
            name=body.get("name", ""),
            quoted_cost=body.get("estimated_cost"),
            max_cost=body.get("max_cost"),
            priority=PRIORITIES[body.get("priority", "normal")],
            confirm_memory=body.get("confirm_memory", False),
        )

    def _flat(self, body: dict[str, Any]) -> dict[str, Any]:
        """Hyperparameters, including those given at the top level."""
        names = (*LIMITS, "scheduler", *method_fields())
        beside = {name: body[name] for name in names if name in body}
        return beside | dict(body["hyperparameters"])


class SuggestRequest(BodySerializer):
    """The body of a request for a suggestion."""

    found: Catalogue

    dataset_id = RowKey()
    base_model = Text(
        max_length=200, required=False, allow_blank=True, trim_whitespace=False
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """The base model must be in the catalogue; without one, the default's is."""
        asked = attrs.get("base_model", "")
        self.found = look_up(gpu_type="", base_model=asked)
        problems = find_problems(
            gpu_type=None, gpu_count=None, base_model=asked, found=self.found
        )
        if problems:
            raise serializers.ValidationError(problems.by_field)
        return attrs
