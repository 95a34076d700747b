"""Serializers of jobs."""

from typing import Any

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from datasets.models import Dataset
from lora_pipeline.api.fields import Facts, StrictSerializer, Text
from lora_pipeline.api.openapi import answered
from lora_pipeline.api.rows import RowSerializer
from training.domain.presets import PRESET_IDS
from training.estimates.fields import Choice
from training.estimates.serializers import (
    EstimateRequest,
    GpuConfigSerializer,
    HyperparametersSerializer,
)
from training.jobs.api import docs
from training.jobs.listing import LONG_FIELDS
from training.models import TrainingJob


class JobRequest(EstimateRequest):
    """The body that creates a job."""

    preset_id = Choice(PRESET_IDS)


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
    """The latest metrics by name. What was no number is null, and `not_finite`
    says by its name whether it was NaN, Infinity or -Infinity.
    """


class SuggestionSerializer(serializers.Serializer[Any]):
    """A suggested fix for a failure; `changes` are fields of a new job's request."""

    kind = serializers.CharField()
    words = serializers.CharField()
    changes = serializers.DictField()


@extend_schema_serializer(examples=[answered("A queued job", docs.JOB)])
class JobSerializer(RowSerializer[TrainingJob]):
    """A full job."""

    user_id = serializers.UUIDField()
    dataset_id = serializers.UUIDField()
    artifact_id = serializers.UUIDField(allow_null=True)
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
        exclude = ["user", "artifact", "hidden_at", "retry_at"]


class JobRowSerializer(JobSerializer):
    """A job in a list, without the long texts of the full job."""

    estimate = None  # type: ignore[assignment]

    class Meta(JobSerializer.Meta):
        exclude = [*JobSerializer.Meta.exclude, *LONG_FIELDS]


class JobEditSerializer(StrictSerializer):
    """Editable fields of a job."""

    name = Text(max_length=200)


class JobMoveSerializer(StrictSerializer):
    """The new GPU type and count of a queued job."""

    gpu_config = GpuConfigSerializer()
