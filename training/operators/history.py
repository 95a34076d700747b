"""Read-only history in the admin: attempts, events, metrics, checkpoints, costs."""

from django.contrib import admin

from lora_pipeline.admin_site.base import ReadOnlyAdmin
from training.models import (
    Checkpoint,
    CostRecord,
    IdempotencyKey,
    JobEvent,
    MetricPoint,
    RunAttempt,
)


@admin.register(RunAttempt)
class RunAttemptAdmin(ReadOnlyAdmin):
    """Every attempt and its outcome; not even the hash of its token is shown."""

    hidden = ("token_hash",)
    list_deferred = ("error_message", "error_stack", "log_tail", "facts")
    list_display = (
        "job", "number", "outcome", "failure_kind", "charged", "created_at",
    )  # fmt: skip
    list_select_related = ("job",)
    ordering = ("-created_at",)
    search_job = "job"


@admin.register(JobEvent)
class JobEventAdmin(ReadOnlyAdmin):
    """Every line of every job's history and log."""

    list_display = ("at", "job", "kind", "from_status", "to_status", "by", "message")
    list_select_related = ("job",)
    ordering = ("-pk",)
    search_job = "job"


@admin.register(MetricPoint)
class MetricPointAdmin(ReadOnlyAdmin):
    """Metrics of each step."""

    list_display = ("job", "step", "loss", "validation_loss", "tokens_per_second", "at")
    list_select_related = ("job",)
    ordering = ("-pk",)
    search_job = "job"


@admin.register(Checkpoint)
class CheckpointAdmin(ReadOnlyAdmin):
    """Checkpoints that runs can resume from."""

    list_display = ("job", "step", "name", "size_bytes", "freed_at", "created_at")
    list_select_related = ("job",)
    ordering = ("-pk",)
    search_job = "job"


@admin.register(CostRecord)
class CostRecordAdmin(ReadOnlyAdmin):
    """Final costs of jobs."""

    list_display = ("job", "total_usd", "compute_usd", "storage_usd", "created_at")
    list_select_related = ("job",)
    ordering = ("-pk",)
    search_job = "job"


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    """Idempotency keys of create requests."""

    list_display = ("key", "user", "job", "created_at")
    list_select_related = ("user", "job")
    ordering = ("-pk",)
    search_job, search_owner = "job", "user"
