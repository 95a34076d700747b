"""The schema of an estimate, for the OpenAPI document only."""

from typing import Any

from rest_framework import serializers

from datasets.access import KIND
from lora_pipeline.api.error_docs import BY_FIELD, FAULTS, Fault
from lora_pipeline.api.openapi import answered, asked, described
from lora_pipeline.errors import NotYours
from training.domain.estimator.duration import DurationParts
from training.domain.estimator.memory import MemoryParts
from training.domain.presets import PRESET_IDS

DATASET_ID = "7c9e6679-7425-40de-944b-e07fc1f90ae7"
GPU_CONFIG = {"type": "A100-80GB", "count": 2}
REQUIRED_VALUES = {"batch_size": 4, "epochs": 3, "learning_rate": 0.00005, "rank": 16}
ESTIMATE_BODY = {
    "dataset_id": DATASET_ID,
    "gpu_config": GPU_CONFIG,
    "hyperparameters": REQUIRED_VALUES,
}
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
    "forecast": {
        "expected": "learned",
        "sentence": "750 steps at a learning rate of 0.00005 are enough to learn the "
        "dataset.",
    },
}
UNKNOWN_DATASET = Fault(
    when=FAULTS[404].when,
    error=str(NotYours(KIND)),
    code="not_found",
)
NO_PAIRS = Fault(
    when="A value is missing, malformed or out of range, or the dataset has no pairs.",
    error="2 fields to fix: see details.",
    code="invalid",
    component="FieldErrors",
    details={
        "gpu_config.count": ["Received 9; must be an integer from 1 to 8."],
        "hyperparameters.rank": ["This field is required."],
    },
    shape=BY_FIELD,
)


class Range(serializers.Serializer[Any]):
    """An 80 % interval."""

    low = serializers.FloatField(min_value=0)
    expected = serializers.FloatField(min_value=0)
    high = serializers.FloatField(min_value=0)


class IntervalAnswer(serializers.Serializer[Any]):
    """Uncertainty of the estimate."""

    coverage = serializers.FloatField(help_text="Coverage of the intervals: 0.8.")
    hours = Range()
    cost = Range(help_text="USD.")


class Amounts(serializers.Serializer[Any]):
    """A number for each part of a domain object."""

    parts: type

    def get_fields(self) -> dict[str, Any]:
        names = self.parts.__slots__  # type: ignore[attr-defined]
        return {name: serializers.FloatField(min_value=0) for name in names}


class DurationAnswer(Amounts):
    """Duration by phase, in seconds."""

    parts = DurationParts


class MemoryPartsAnswer(Amounts):
    """Peak memory by part, in GiB."""

    parts = MemoryParts


class ChangeAnswer(serializers.Serializer[Any]):
    """The smallest change that makes the job fit: the fields to send instead."""

    sentence = serializers.CharField()
    hyperparameters = serializers.DictField(child=serializers.JSONField())
    gpu_type = serializers.CharField(allow_null=True)


class MemoryAnswer(serializers.Serializer[Any]):
    """Whether peak memory fits on one GPU; if not, a job needs confirm_memory."""

    required_gib = serializers.FloatField(min_value=0)
    available_gib = serializers.FloatField(min_value=0, allow_null=True)
    probability = serializers.FloatField(min_value=0, max_value=1)
    verdict = serializers.ChoiceField(["fits", "tight", "does_not_fit"])
    parts_gib = MemoryPartsAnswer()
    change = ChangeAnswer(allow_null=True)


class PlanAnswer(serializers.Serializer[Any]):
    """How the batch is divided: batch_size = micro_batch x accumulation x processes."""

    method = serializers.CharField()
    packing = serializers.BooleanField()
    gradient_checkpointing = serializers.BooleanField()
    micro_batch = serializers.IntegerField(min_value=1)
    gradient_accumulation = serializers.IntegerField(min_value=1)
    processes = serializers.IntegerField(min_value=1)


class EvidenceAnswer(serializers.Serializer[Any]):
    """Evidence behind the estimate: similar runs that finished here."""

    similar_runs = serializers.IntegerField(min_value=0)
    runs_on_this_gpu_type = serializers.IntegerField(min_value=0)
    hardware = serializers.ChoiceField(["measured", "similar", "none"])
    note = serializers.CharField(allow_blank=True)


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
    """Steps, throughput and dataset of the run."""

    dataset_name = serializers.CharField()


class CatalogueAnswer(serializers.Serializer[Any]):
    """The catalogue formula's figures, next to those for the base model."""

    basis = serializers.ChoiceField(["catalogue"])
    estimated_cost = serializers.FloatField(min_value=0)
    cost_breakdown = CostBreakdown()
    estimated_duration_hours = serializers.FloatField(min_value=0)
    hourly_rate = serializers.FloatField(min_value=0)
    training_details = CountedSteps()


class ForecastAnswer(serializers.Serializer[Any]):
    """What to expect of a recipe on this dataset."""

    expected = serializers.ChoiceField(["hardly", "partly", "learned", "by_heart"])
    sentence = serializers.CharField()


class SuggestedValues(serializers.Serializer[Any]):
    """The hyperparameters to send."""

    learning_rate = serializers.FloatField()
    batch_size = serializers.IntegerField()
    epochs = serializers.IntegerField()
    rank = serializers.IntegerField()
    alpha = serializers.IntegerField()


class Reasons(serializers.Serializer[Any]):
    """Why each value is suggested."""

    def get_fields(self) -> dict[str, Any]:
        names = list(SuggestedValues().get_fields())
        return {str(name): serializers.CharField() for name in names}


class SuggestionAnswer(serializers.Serializer[Any]):
    """The recipe suggested for a dataset and base model."""

    base_model = serializers.CharField(allow_blank=True)
    preset_id = serializers.ChoiceField(PRESET_IDS)
    hyperparameters = SuggestedValues()
    reasons = Reasons()
    total_steps = serializers.IntegerField(min_value=1)


class EstimateAnswer(serializers.Serializer[Any]):
    """The schema of an estimate; used only for documentation.

    Fields from `interval` on are present when the request names a base model whose
    dimensions are known.
    """

    basis = serializers.ChoiceField(["catalogue", "model", "measured"])
    estimated_cost = serializers.FloatField(min_value=0, help_text="Total in USD.")
    cost_breakdown = CostBreakdown()
    estimated_duration_hours = serializers.FloatField(min_value=0)
    hourly_rate = serializers.FloatField(
        min_value=0, help_text="USD per hour, all GPUs."
    )
    training_details = TrainingDetails()
    warnings = serializers.ListField(child=serializers.CharField())
    forecast = ForecastAnswer()
    interval = IntervalAnswer(required=False)
    duration_parts_seconds = DurationAnswer(required=False)
    memory = MemoryAnswer(required=False)
    plan = PlanAnswer(required=False)
    evidence = EvidenceAnswer(required=False)
    catalogue = CatalogueAnswer(required=False)


ESTIMATING: dict[str, Any] = {
    "responses": {
        200: described(
            EstimateAnswer, "Estimated cost and duration. Nothing is stored."
        ),
        400: NO_PAIRS,
        404: UNKNOWN_DATASET,
    },
    "examples": [
        asked("1000 pairs on two GPUs", ESTIMATE_BODY),
        answered("1000 pairs of 13 268 571 tokens", ESTIMATE),
    ],
}
"""Keyword arguments of `extend_schema` for the estimate."""

SUGGESTING: dict[str, Any] = {
    "responses": {
        200: described(SuggestionAnswer, "The suggested recipe. Nothing is stored."),
        400: NO_PAIRS,
        404: UNKNOWN_DATASET,
    },
    "examples": [asked("For the default base model", {"dataset_id": DATASET_ID})],
}
"""Keyword arguments of `extend_schema` for the suggestion."""
