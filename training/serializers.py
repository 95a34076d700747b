"""Jobs as the API takes and shows them."""

import re
from decimal import Decimal
from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from datasets.models import Dataset
from lora_pipeline.envelope import flatten
from lora_pipeline.fields import Text
from training import api_docs
from training.domain.config import Hyperparameters, JobConfig, fill_defaults
from training.domain.limits import (
    GPU_COUNT,
    LIMITS,
    MICRO_BATCH,
    REQUIRED,
    SCHEDULERS,
    Limit,
    shown,
)
from training.domain.method import METHODS
from training.domain.presets import CUSTOM, DEFAULT_PRESET, PRESET_IDS, Preset
from training.domain.priority import PRIORITIES, USERS_PRIORITIES
from training.estimate_docs import OBJECT_OR_NULL
from training.models import BaseModel, GpuType, TrainingJob
from training.validation import Catalogue, find_problems, look_up

SURROGATES = re.compile("[\ud800-\udfff]")


class LimitField(serializers.Field[Any, Any, Any, Any]):
    """A JSON number inside a Limit; text, true and 4.5 for a count are refused."""

    def __init__(self, limit: Limit, **options: Any) -> None:
        self.limit = limit
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> float:
        if problem := self.limit.problem(data):
            raise serializers.ValidationError(problem)
        return int(data) if self.limit.whole else float(data)

    def to_representation(self, value: Any) -> Any:
        return value


class Choice(serializers.ChoiceField):
    """A choice whose error says what was received and what is allowed."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, str) and data in self.choices:
            return data
        words = f"Received {shown(data)}; choose one of: {', '.join(self.choices)}."
        raise serializers.ValidationError(words)


class Flag(serializers.Field[Any, Any, Any, Any]):
    """JSON true or false; "yes" and 1 are refused."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            words = f"Received {shown(data)}; give true or false."
            raise serializers.ValidationError(words)
        return data

    def to_representation(self, value: Any) -> Any:
        return value


def method_fields() -> dict[str, serializers.Field[Any, Any, Any, Any]]:
    """How the model is trained; null leaves the choice to the console."""
    return {
        "method": Choice(METHODS, required=False),
        "packing": Flag(required=False),
        "gradient_checkpointing": Flag(required=False, allow_null=True),
        "micro_batch": LimitField(MICRO_BATCH, required=False, allow_null=True),
    }


class GpuConfigSerializer(serializers.Serializer[Any]):
    """Which GPUs, and how many."""

    type = Text(max_length=50, trim_whitespace=False)
    count = LimitField(GPU_COUNT)


class HyperparametersSerializer(serializers.Serializer[Any]):
    """The knobs of a run; four are required, the others have defaults."""

    scheduler = Choice(SCHEDULERS, required=False)

    def get_fields(self) -> dict[str, Any]:
        fields = super().get_fields()
        for name, limit in LIMITS.items():
            fields[name] = LimitField(limit, required=name in REQUIRED)
        return fields | method_fields()

    def to_config(self, given: dict[str, Any]) -> Hyperparameters:
        return fill_defaults(given)


def _text(value: Any) -> str | None:
    """A text that may name a row, else None: its field says what is wrong with it."""
    usable = isinstance(value, str) and "\0" not in value
    return value or None if usable and not SURROGATES.search(value) else None


class EstimateRequest(serializers.Serializer[Any]):
    """The body of an estimate."""

    found: Catalogue

    dataset_id = serializers.UUIDField()
    gpu_config = GpuConfigSerializer()
    hyperparameters = HyperparametersSerializer()
    base_model = Text(
        max_length=200, required=False, allow_blank=True, trim_whitespace=False
    )

    def to_internal_value(self, data: Any) -> Any:
        """All faults at once: those of single fields and those that the rows tell."""
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
        """The hyperparameters as they came, inside or beside, faulty ones too."""
        inside = body.get("hyperparameters")
        return body | (inside if isinstance(inside, dict) else {})

    def config(self) -> JobConfig:
        """The checked body as a configuration."""
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
        """Hyperparameters, also those given beside them instead of inside."""
        names = (*LIMITS, "scheduler", *method_fields())
        beside = {name: body[name] for name in names if name in body}
        return beside | dict(body["hyperparameters"])


class Usd(serializers.DecimalField):
    """US dollars from 0 on, as a JSON number; text is refused as for every number."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_digits=12, decimal_places=4, min_value=Decimal(0), **options
        )

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, bool) or not isinstance(data, int | float):
            raise serializers.ValidationError(
                f"Received {shown(data)}; give an amount in USD as a number."
            )
        return super().to_internal_value(data)


class JobRequest(EstimateRequest):
    """The body that creates a job."""

    preset_id = Choice(PRESET_IDS)
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


class JobDatasetSerializer(serializers.ModelSerializer[Dataset]):
    """What a job shows of its dataset."""

    class Meta:
        model = Dataset
        fields = ["id", "name", "format", "total_training_pairs"]


@extend_schema_field(HyperparametersSerializer)
class StoredHyperparameters(serializers.JSONField):
    """All the hyperparameters of a job."""


@extend_schema_field(GpuConfigSerializer)
class StoredGpuConfig(serializers.JSONField):
    """The machine that a job is for."""


@extend_schema_field({"type": "object", "additionalProperties": {}})
class Metrics(serializers.JSONField):
    """The last measured values by name."""


class SuggestionSerializer(serializers.Serializer[Any]):
    """What to do about a failure; `changes` are fields of a new job's request."""

    kind = serializers.CharField()
    words = serializers.CharField()
    changes = serializers.DictField()


@extend_schema_field(OBJECT_OR_NULL)
class Facts(serializers.JSONField):
    """What is known by name, or null."""


LONG_FIELDS = ("estimate", "error_stack")


@extend_schema_serializer(examples=[api_docs.answered("A queued job", api_docs.JOB)])
class JobSerializer(serializers.ModelSerializer[TrainingJob]):
    """The whole job."""

    dataset = JobDatasetSerializer()
    suggestion = SuggestionSerializer(allow_null=True)
    hyperparameters = StoredHyperparameters()
    gpu_config = StoredGpuConfig()
    current_metrics = Metrics()
    plan = Facts()
    estimate = Facts()
    remaining = Facts()

    class Meta:
        model = TrainingJob
        exclude = ["user", "hidden_at", "retry_at"]


class JobRowSerializer(JobSerializer):
    """A job in a list: without the long texts, which its own answer has."""

    estimate = None  # type: ignore[assignment]

    class Meta(JobSerializer.Meta):
        exclude = [*JobSerializer.Meta.exclude, *LONG_FIELDS]


class JobEditSerializer(serializers.Serializer[Any]):
    """What may be changed of any job."""

    name = Text(max_length=200)


class JobMoveSerializer(serializers.Serializer[Any]):
    """The machine that a queued job is to wait for instead."""

    gpu_config = GpuConfigSerializer()


class GpuTypeSerializer(serializers.ModelSerializer[GpuType]):
    """A catalogue row; `connected` says whether a job for it can start now."""

    peak_tflops = Facts()
    connected = serializers.BooleanField()

    class Meta:
        model = GpuType
        exclude = ["enabled", "suggested_usd_per_hour", "suggestion_note"]


class BaseModelSerializer(serializers.ModelSerializer[BaseModel]):
    """A model that jobs can train on."""

    dimensions = Facts()
    is_here = serializers.BooleanField()

    class Meta:
        model = BaseModel
        fields = [
            "id",
            "name",
            "source",
            "revision",
            "parameters",
            "note",
            "is_here",
            "dimensions",
            "dimensions_source",
        ]


class PresetSerializer(serializers.Serializer[Preset]):
    """A ready-made setting: its hyperparameters and what it is good for."""

    id = serializers.CharField()
    title = serializers.CharField()
    icon = serializers.CharField()
    use_case = serializers.CharField()
    is_default = serializers.SerializerMethodField()
    hyperparameters = serializers.SerializerMethodField()

    def get_is_default(self, preset: Preset) -> bool:
        return preset is DEFAULT_PRESET

    def get_hyperparameters(self, preset: Preset) -> dict[str, float]:
        return preset.values()
