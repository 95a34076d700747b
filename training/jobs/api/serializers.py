"""Serializers of jobs."""

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from datasets.models import Dataset
from lora_pipeline.api.fields import Facts, Text
from lora_pipeline.api.openapi import answered
from lora_pipeline.api.rows import RowSerializer
from training.domain.limits import (
    LIMITS,
    REQUIRED,
    SCHEDULERS,
)
from training.domain.presets import PRESET_IDS
from training.domain.priority import USERS_PRIORITIES
from training.estimates.fields import Choice, Flag, LimitField, Usd
from training.estimates.serializers import (
    EstimateRequest,
    GpuConfigSerializer,
    HyperparametersSerializer,
    method_fields,
)
from training.jobs.api import docs
from training.models import TrainingJob


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


class JobDatasetSerializer(RowSerializer[Dataset]):
    """The dataset of a job."""

    class Meta:
        model = Dataset
        fields = ["id", "name", "format", "total_training_pairs"]


@extend_schema_field(HyperparametersSerializer)
class StoredHyperparameters(serializers.JSONField):
    """All hyperparameters of a job."""


@extend_schema_field(GpuConfigSerializer)
class StoredGpuConfig(serializers.JSONField):
    """GPU type and count of a job."""


@extend_schema_field({"type": "object", "additionalProperties": {}})
class Metrics(serializers.JSONField):
    """The latest metrics by name."""


class SuggestionSerializer(serializers.Serializer[Any]):
    """A suggested fix for a failure; `changes` are fields of a new job's request."""

    kind = serializers.CharField()
    words = serializers.CharField()
    changes = serializers.DictField()


LONG_FIELDS = ("estimate", "error_stack")


@extend_schema_serializer(examples=[answered("A queued job", docs.JOB)])
class JobSerializer(RowSerializer[TrainingJob]):
    """A full job."""

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
    """A job in a list, without the long texts of the full job."""

    estimate = None  # type: ignore[assignment]

    class Meta(JobSerializer.Meta):
        exclude = [*JobSerializer.Meta.exclude, *LONG_FIELDS]


class JobEditSerializer(serializers.Serializer[Any]):
    """Editable fields of a job."""

    name = Text(max_length=200)


class JobMoveSerializer(serializers.Serializer[Any]):
    """The new GPU type and count of a queued job."""

    gpu_config = GpuConfigSerializer()
