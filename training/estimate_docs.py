"""The shape of a model-aware estimate, for the OpenAPI description only."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from rest_framework import serializers

from lora_pipeline.faults import Fault, Schema
from training.domain.duration import DurationParts
from training.domain.memory import MemoryParts

OBJECT_OR_NULL: Schema = {"type": ["object", "null"], "additionalProperties": {}}
NO_FIT_OR_REUSED = Fault(
    when="The job does not fit into memory and confirm_memory is not true, or the "
    "Idempotency-Key was already used with another body.",
    error="The job needs about 158.3 GiB and A100-80GB has 79.15: it does not fit. "
    "With QLoRA (4-bit weights) it fits: 63.9 GiB. To start it all the same, send "
    "confirm_memory: true.",
    code="does_not_fit",
    component="ConflictError",
    details={"memory": {"required_gib": 158.3, "available_gib": 79.15}},
    shape=OBJECT_OR_NULL,
)


class FlagScheme(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A Flag as a boolean."""

    target_class = "training.serializers.Flag"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Schema:
        return {"type": "boolean"}


class Range(serializers.Serializer[Any]):
    """Holds what comes out four times in five."""

    low = serializers.FloatField(min_value=0)
    expected = serializers.FloatField(min_value=0)
    high = serializers.FloatField(min_value=0)


class IntervalAnswer(serializers.Serializer[Any]):
    """How sure the estimate is."""

    coverage = serializers.FloatField(help_text="How often the ranges hold: 0.8.")
    hours = Range()
    cost = Range(help_text="USD.")


class Amounts(serializers.Serializer[Any]):
    """A number for each of a domain object's parts."""

    parts: type

    def get_fields(self) -> dict[str, Any]:
        names = self.parts.__slots__  # type: ignore[attr-defined]
        return {name: serializers.FloatField(min_value=0) for name in names}


class DurationAnswer(Amounts):
    """What the time is spent on, in seconds."""

    parts = DurationParts


class MemoryPartsAnswer(Amounts):
    """The peak by what it is for, in GiB."""

    parts = MemoryParts


class ChangeAnswer(serializers.Serializer[Any]):
    """The smallest change that makes the job fit: what to send instead."""

    sentence = serializers.CharField()
    hyperparameters = serializers.DictField(child=serializers.JSONField())
    gpu_type = serializers.CharField(allow_null=True)


class MemoryAnswer(serializers.Serializer[Any]):
    """Whether the peak of one GPU fits; a job that does not needs confirm_memory."""

    required_gib = serializers.FloatField(min_value=0)
    available_gib = serializers.FloatField(min_value=0, allow_null=True)
    probability = serializers.FloatField(min_value=0, max_value=1)
    verdict = serializers.ChoiceField(["fits", "tight", "does_not_fit"])
    parts_gib = MemoryPartsAnswer()
    change = ChangeAnswer(allow_null=True)


class PlanAnswer(serializers.Serializer[Any]):
    """How the batch is cut up: batch_size = micro_batch x accumulation x processes."""

    method = serializers.CharField()
    packing = serializers.BooleanField()
    gradient_checkpointing = serializers.BooleanField()
    micro_batch = serializers.IntegerField(min_value=1)
    gradient_accumulation = serializers.IntegerField(min_value=1)
    processes = serializers.IntegerField(min_value=1)


class EvidenceAnswer(serializers.Serializer[Any]):
    """What stands behind the estimate: runs that finished here, and on what."""

    similar_runs = serializers.IntegerField(min_value=0)
    runs_on_this_gpu_type = serializers.IntegerField(min_value=0)
    hardware = serializers.ChoiceField(["measured", "similar", "none"])
    note = serializers.CharField(allow_blank=True)
