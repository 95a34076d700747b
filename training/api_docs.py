"""What the OpenAPI description says of jobs beyond their serializers."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.utils import OpenApiExample, OpenApiParameter
from rest_framework import serializers

from lora_pipeline.faults import BY_FIELD, FAULTS, Fault, Schema, numbers
from lora_pipeline.openapi import described
from training.estimate_docs import (
    NO_FIT_OR_REUSED,
    DurationAnswer,
    EvidenceAnswer,
    IntervalAnswer,
    MemoryAnswer,
    PlanAnswer,
)
from training.idempotency import HEADER, LONGEST

JOB_ID = "0b8f3f0e-6d5f-4f0c-8d3a-2f6a1c9e7b10"
DATASET_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
GPU_CONFIG = {"type": "A100-80GB", "count": 2}
REQUIRED_VALUES = {"batch_size": 4, "epochs": 3, "learning_rate": 0.00005, "rank": 16}
ESTIMATE_BODY = {
    "dataset_id": DATASET_ID,
    "gpu_config": GPU_CONFIG,
    "hyperparameters": REQUIRED_VALUES,
}
JOB_BODY = ESTIMATE_BODY | {"preset_id": "balanced", "estimated_cost": 25.50}
ESTIMATE = {
    "basis": "catalogue",
    "estimated_cost": 25.50,
    "cost_breakdown": {"compute": 25.00, "storage": 0.50},
    "estimated_duration_hours": 3.57,
    "hourly_rate": 7.00,
    "training_details": {
        "total_steps": 750,
        "steps_per_epoch": 250,
        "estimated_throughput_tokens_per_sec": 3600,
        "dataset_name": "My Dataset",
    },
    "warnings": [],
}
ADVANCED_VALUES = {
    "alpha": 32,
    "dropout": 0.1,
    "max_length": 1024,
    "seed": 42,
    "warmup_ratio": 0.03,
    "scheduler": "linear",
    "method": "lora",
    "packing": False,
    "gradient_checkpointing": None,
    "micro_batch": None,
}
PLAN = {
    "method": "lora",
    "packing": False,
    "gradient_checkpointing": False,
    "micro_batch": 2,
    "gradient_accumulation": 1,
    "processes": 2,
}
JOB = {
    "id": JOB_ID,
    "dataset": {
        "id": DATASET_ID,
        "name": "My Dataset",
        "format": "openai_chat",
        "total_training_pairs": 1000,
    },
    "name": "My Dataset, balanced",
    "preset_id": "balanced",
    "base_model": MODEL,
    "hyperparameters": REQUIRED_VALUES | ADVANCED_VALUES,
    "gpu_config": GPU_CONFIG,
    "seed": 42,
    "priority": 2,
    "status": "queued",
    "current_stage": "queued",
    "status_note": "waiting for a machine that offers A100-80GB",
    "queue_position": 1,
    "expected_start_at": None,
    "cancel_requested_at": None,
    "pause_requested_at": None,
    "pause_reason": "",
    "progress": 0.0,
    "current_epoch": 0.0,
    "total_epochs": 3,
    "current_step": 0,
    "total_steps": 750,
    "current_metrics": {},
    "queued_at": "2026-11-24T18:00:00Z",
    "started_at": None,
    "completed_at": None,
    "estimated_completion_at": None,
    "usd_per_gpu_hour": 3.50,
    "storage_usd": 0.50,
    "running_seconds": 0.0,
    "current_cost": 0.0,
    "estimated_total_cost": 25.50,
    "estimated_hours": 3.5714,
    "estimated_high_cost": None,
    "plan": PLAN,
    "estimate": None,
    "remaining": None,
    "quoted_cost": 25.50,
    "max_cost": None,
    "final_cost": None,
    "budget_noticed_percent": 0,
    "error_message": "",
    "error_stack": "",
    "failure_kind": "",
    "suggestion": None,
    "continued_from": None,
    "start_step": 0,
    "retry_count": 0,
    "external_job_id": "",
    "artifact": None,
    "created_at": "2026-11-24T18:00:00Z",
    "updated_at": "2026-11-24T18:00:00Z",
}


def asked(name: str, value: Any) -> OpenApiExample:
    """An example of a request."""
    return OpenApiExample(name, value, request_only=True)


def answered(name: str, value: Any) -> OpenApiExample:
    """An example of the data of an answer; the description puts its envelope round."""
    return OpenApiExample(name, value, response_only=True)


class CostBreakdown(serializers.Serializer[Any]):
    """USD, two decimals."""

    compute = serializers.FloatField(min_value=0)
    storage = serializers.FloatField(min_value=0)


class CountedSteps(serializers.Serializer[Any]):
    """Steps and speed."""

    total_steps = serializers.IntegerField(min_value=1)
    steps_per_epoch = serializers.IntegerField(min_value=1)
    estimated_throughput_tokens_per_sec = serializers.IntegerField(min_value=1)


class TrainingDetails(CountedSteps):
    """What the run will be like."""

    dataset_name = serializers.CharField()


class CatalogueAnswer(serializers.Serializer[Any]):
    """The catalogue formula's figures, beside those of the named model."""

    basis = serializers.ChoiceField(["catalogue"])
    estimated_cost = serializers.FloatField(min_value=0)
    cost_breakdown = CostBreakdown()
    estimated_duration_hours = serializers.FloatField(min_value=0)
    hourly_rate = serializers.FloatField(min_value=0)
    training_details = CountedSteps()


class EstimateAnswer(serializers.Serializer[Any]):
    """The shape of an estimate; only described with, never serialised with.

    What begins with `interval` is there when the request names a base model whose
    dimensions are known.
    """

    basis = serializers.ChoiceField(["catalogue", "model", "measured"])
    estimated_cost = serializers.FloatField(min_value=0, help_text="USD in all.")
    cost_breakdown = CostBreakdown()
    estimated_duration_hours = serializers.FloatField(min_value=0)
    hourly_rate = serializers.FloatField(min_value=0, help_text="USD, all GPUs.")
    training_details = TrainingDetails()
    warnings = serializers.ListField(child=serializers.CharField())
    interval = IntervalAnswer(required=False)
    duration_parts_seconds = DurationAnswer(required=False)
    memory = MemoryAnswer(required=False)
    plan = PlanAnswer(required=False)
    evidence = EvidenceAnswer(required=False)
    catalogue = CatalogueAnswer(required=False)


class LimitScheme(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A LimitField as a number with its range."""

    target_class = "training.serializers.LimitField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Schema:
        limit = self.target.limit
        kind = "integer" if limit.whole else "number"
        return {"type": kind, "minimum": limit.minimum, "maximum": limit.maximum}


class UsdScheme(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """An amount as a number with at most four decimals."""

    target_class = "training.serializers.Usd"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Schema:
        limits = {"minimum": 0, "exclusiveMaximum": 10**8, "multipleOf": 0.0001}
        return {"type": "number", **limits}


IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER,
    {
        "type": "string",
        "minLength": 1,
        "maxLength": LONGEST,
        "pattern": "^[!-~]([ -~]*[!-~])?$",
    },
    OpenApiParameter.HEADER,
    description="Any name of your own, a UUID for example. For 24 hours the same key "
    "and body answer the job that they made, however often they are sent.",
)

UNKNOWN_DATASET = Fault(
    when=FAULTS[404].when,
    error="There is no such dataset among yours.",
    code="not_found",
)
NO_PAIRS = Fault(
    when="A value is missing, malformed or out of range, or the dataset has no pairs.",
    error="2 fields to correct: see details.",
    code="invalid",
    component="FieldErrors",
    details={
        "gpu_config.count": ["Received 9; give a whole number from 1 to 8."],
        "hyperparameters.rank": ["This field is required."],
    },
    shape=BY_FIELD,
)
NOT_READY_WORDS = (
    "The dataset is not ready: status is validating, training_ready is false; needed "
    "are ready and true."
)
NOT_READY = Fault(
    when="A value is missing, malformed or out of range, or the dataset is not ready.",
    error=NOT_READY_WORDS,
    code="dataset_not_ready",
    component="FieldErrors",
    details={"dataset_id": [NOT_READY_WORDS]},
    shape=BY_FIELD,
)
OVER_BUDGET = Fault(
    when="The month's budget does not allow it; the numbers say why.",
    error="The job may come to 31.88 USD, and 20.00 of this month's 50.00 USD are "
    "free. Choose a cheaper configuration, set a lower max_cost, or ask an operator.",
    code="budget",
    component="BudgetError",
    details={
        "budget_usd": 50.00,
        "spent_usd": 10.00,
        "held_usd": 20.00,
        "free_usd": 20.00,
        "needed_usd": 31.88,
    },
    shape=numbers("budget_usd", "spent_usd", "held_usd", "free_usd", "needed_usd"),
)
ENDED = Fault(
    when="The job has already ended.",
    error="The job has already ended: it is completed.",
    code="already_ended",
)
NOT_QUEUED = Fault(
    when="The job has left the queue.",
    error="The job is running: only a queued job can move to another machine.",
    code="not_queued",
)
NOT_ENDED = Fault(
    when="The job has not ended yet.",
    error="The job is running: cancel it before deleting it.",
    code="not_ended",
)

ESTIMATING: dict[str, Any] = {
    "responses": {
        200: described(EstimateAnswer, "Cost and duration; nothing was written."),
        400: NO_PAIRS,
        404: UNKNOWN_DATASET,
    },
    "examples": [
        asked("1000 pairs on two GPUs", ESTIMATE_BODY),
        answered("1000 pairs of 13 268 571 tokens", ESTIMATE),
    ],
}
"""Keyword arguments of `extend_schema` for the estimate."""


def creating(job: Any) -> dict[str, Any]:
    """Keyword arguments of `extend_schema` for creating a job."""
    made_before = f"The job that this {HEADER} made before."
    return {
        "parameters": [IDEMPOTENCY_KEY],
        "responses": {
            200: described(job, made_before),
            201: described(job, "Queued."),
            400: NOT_READY,
            402: OVER_BUDGET,
            404: UNKNOWN_DATASET,
            409: NO_FIT_OR_REUSED,
        },
        "examples": [asked("The balanced preset", JOB_BODY), answered("Queued", JOB)],
    }
