"""OpenAPI texts for jobs that serializers do not supply."""

from typing import Any

from drf_spectacular.utils import OpenApiParameter

from lora_pipeline.api.error_docs import BY_FIELD, Fault, numbers
from lora_pipeline.api.fields import OBJECT_OR_NULL
from lora_pipeline.api.openapi import answered, asked, described
from training.costs.budget import BUDGET
from training.estimates.api_docs import (
    DATASET_ID,
    ESTIMATE_BODY,
    GPU_CONFIG,
    REQUIRED_VALUES,
    UNKNOWN_DATASET,
)
from training.estimates.rules import DATASET_NOT_READY, DOES_NOT_FIT
from training.jobs.idempotency import HEADER, LONGEST

NO_FIT_OR_REUSED = Fault.of(
    DOES_NOT_FIT,
    when="The job does not fit in memory and confirm_memory is not true, or the "
    "Idempotency-Key was already used with another body.",
    component="ConflictError",
    details={"memory": {"required_gib": 158.3, "available_gib": 79.15}},
    shape=OBJECT_OR_NULL,
)

JOB_ID = "0b8f3f0e-6d5f-4f0c-8d3a-2f6a1c9e7b10"
USER_ID = "5d2c1e52-0c0f-4d55-9f5c-3f0e7ad0a6b1"

MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"


JOB_BODY = ESTIMATE_BODY | {"preset_id": "balanced", "estimated_cost": 25.50}

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
    "use_rslora": False,
    "weight_decay": 0.0,
    "max_grad_norm": 1.0,
    "neftune_noise_alpha": None,
    "warmup_steps": None,
    "eval_steps": None,
    "early_stopping_patience": None,
    "early_stopping_threshold": 0.0,
    "load_best_model_at_end": False,
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
    "user_id": USER_ID,
    "dataset_id": DATASET_ID,
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
    "artifact_id": None,
    "created_at": "2026-11-24T18:00:00Z",
    "updated_at": "2026-11-24T18:00:00Z",
}


IDEMPOTENCY_KEY = OpenApiParameter(
    HEADER,
    {
        "type": "string",
        "minLength": 1,
        "maxLength": LONGEST,
        "pattern": "^[!-~]([ -~]*[!-~])?$",
    },
    OpenApiParameter.HEADER,
    description="Any unique string, for example a UUID. For 24 hours the same key "
    "and body return the job that they created, however often they are sent.",
)


NOT_READY = Fault.of(
    DATASET_NOT_READY,
    when="A value is missing, malformed or out of range, or the dataset is not ready.",
    component="FieldErrors",
    shape=BY_FIELD,
)
OVER_BUDGET = Fault.of(
    BUDGET,
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


def creating(job: Any) -> dict[str, Any]:
    """Keyword arguments of `extend_schema` for creating a job."""
    made_before = f"The job that this {HEADER} created earlier."
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
