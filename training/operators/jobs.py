"""All users' jobs and adapters in the admin."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest
from django.utils.html import format_html, format_html_join
from django.utils.safestring import SafeString

from lora_pipeline.admin_site.base import ReadOnlyAdmin, ReadOnlyRows
from training.models import (
    Adapter,
    AdapterExport,
    AdapterQuestion,
    JobEvent,
    RunAttempt,
    TrainingJob,
)
from training.operators.actions import ADAPTER_ACTIONS, JOB_ACTIONS

TIMELINE = 100
FIRST = (
    "name", "user", "status", "status_note", "timeline", "error_message",
    "base_model", "dataset", "gpu_config", "priority", "current_stage", "progress",
    "expected_start_at", "started_at", "estimated_completion_at", "completed_at",
    "current_cost", "max_cost", "final_cost",
)  # fmt: skip
LARGE = (
    "hyperparameters", "current_metrics", "plan", "estimate", "remaining", "suggestion",
    "error_message", "error_stack",
)  # fmt: skip


class AttemptRows(ReadOnlyRows):
    """The run attempts of a job."""

    model = RunAttempt
    fields = (
        "number", "outcome", "failure_kind", "started_at", "ended_at", "charged",
        "running_seconds",
    )  # fmt: skip
    show_change_link = True


@admin.register(TrainingJob)
class TrainingJobAdmin(ReadOnlyAdmin):
    """Jobs, controlled by bulk actions that each need their own permission."""

    list_deferred = LARGE
    extra = ("timeline",)
    list_display = (
        "name", "user", "status", "priority", "gpus", "percent", "created_at",
    )  # fmt: skip
    list_select_related = ("user",)
    list_filter = ("status",)
    ordering = ("-created_at",)
    search_owner, search_start = "user", "name"
    inlines = (AttemptRows,)
    actions = JOB_ACTIONS

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        """The most important fields first, everything else collapsed."""
        rest = [name for name in self.get_fields(request, obj) if name not in FIRST]
        folded = {"fields": rest, "classes": ["collapse"]}
        return [(None, {"fields": FIRST}), ("Everything else", folded)]

    @admin.display(description="GPUs")
    def gpus(self, job: TrainingJob) -> str:
        return f"{job.gpu_count} x {job.gpu_type}"

    @admin.display(description="%")
    def percent(self, job: TrainingJob) -> int:
        return job.percent

    @admin.display(description="timeline, newest first")
    def timeline(self, job: TrainingJob) -> SafeString:
        """Time, change, reason and actor."""
        events = job.events.filter(kind=JobEvent.Kind.STATUS).order_by("-id")
        rows = format_html_join(
            "",
            "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
            (
                (f"{e.at:%Y-%m-%d %H:%M:%S}", e.to_status, e.by, e.message)
                for e in events[:TIMELINE]
            ),
        )
        return format_html('<table class="timeline">{}</table>', rows)

    def has_cancel_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "cancel")

    def has_pause_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "pause")

    def has_resume_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "resume")

    def has_retry_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "retry")

    def has_prioritise_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "prioritise")


@admin.register(Adapter)
class AdapterAdmin(ReadOnlyAdmin):
    """Adapters; a deleted one keeps its row."""

    list_deferred = ("lineage",)
    list_display = (
        "name", "version", "user", "size_bytes", "created_at", "deleted_at",
    )  # fmt: skip
    list_select_related = ("user",)
    ordering = ("-created_at",)
    search_job, search_owner, search_start = "job", "user", "name"
    actions = ADAPTER_ACTIONS

    def has_remove_permission(self, request: HttpRequest) -> bool:
        """The delete permission lets operators delete adapters through the service."""
        return self.may(request, "delete")


@admin.register(AdapterExport)
class AdapterExportAdmin(ReadOnlyAdmin):
    """Adapters merged into their base models."""

    list_display = ("adapter", "status", "stage", "size_bytes", "created_at")
    list_select_related = ("adapter",)
    ordering = ("-created_at",)


@admin.register(AdapterQuestion)
class AdapterQuestionAdmin(ReadOnlyAdmin):
    """Status of questions; never their text or answers, which are private."""

    hidden = ("system", "question", "base_answer", "adapter_answer")
    list_deferred = hidden
    list_display = ("created_at", "adapter", "status", "stage", "completed_at")
    list_select_related = ("adapter",)
    ordering = ("-created_at",)
