"""What runs reported and what they came to: written once, read here."""

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
    """Every attempt, and how it ended; its token is not even here as a hash."""

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
    """What each step measured."""

    list_display = ("job", "step", "loss", "validation_loss", "tokens_per_second", "at")
    list_select_related = ("job",)
    ordering = ("-pk",)
    search_job = "job"


@admin.register(Checkpoint)
class CheckpointAdmin(ReadOnlyAdmin):
    """What runs can go on from."""

    list_display = ("job", "step", "name", "size_bytes", "freed_at", "created_at")
    list_select_related = ("job",)
    ordering = ("-pk",)
    search_job = "job"


@admin.register(CostRecord)
class CostRecordAdmin(ReadOnlyAdmin):
    """What jobs cost in the end."""

    list_display = ("job", "total_usd", "compute_usd", "storage_usd", "created_at")
    list_select_related = ("job",)
    ordering = ("-pk",)
    search_job = "job"


@admin.register(IdempotencyKey)
class IdempotencyKeyAdmin(ReadOnlyAdmin):
    """Creations that callers named, so that sending them again creates nothing."""

    list_display = ("key", "user", "job", "created_at")
    list_select_related = ("user", "job")
    ordering = ("-pk",)
    search_job, search_owner = "job", "user"
