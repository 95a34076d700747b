"""Operators' view of training: the catalogue to edit, the history to read."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from training.admin_actions import JOB_ACTIONS
from training.models import (
    BaseModel,
    CalibrationRecord,
    GpuType,
    RunAttempt,
    TrainingJob,
)


@admin.register(GpuType)
class GpuTypeAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Prices and speeds; a suggested type is enabled once it has a price."""

    list_display = [
        "name",
        "usd_per_hour",
        "suggested_usd_per_hour",
        "tokens_per_second",
        "memory_gb",
        "evidence",
        "enabled",
    ]
    readonly_fields = ["suggested_usd_per_hour", "suggestion_note"]


@admin.register(BaseModel)
class BaseModelAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """What can be trained on."""

    list_display = ["id", "name", "source", "parameters", "is_here", "enabled"]
    search_fields = ["id", "name"]


class ReadOnlyAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """History is not edited."""

    def has_add_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(TrainingJob)
class TrainingJobAdmin(ReadOnlyAdmin):
    """Every job of everybody."""

    list_display = [
        "name",
        "user",
        "status",
        "priority",
        "gpu_type",
        "percent",
        "created_at",
    ]
    list_select_related = ["user"]
    list_filter = ["status"]
    search_fields = ["name", "user__username"]
    show_full_result_count = False
    actions = JOB_ACTIONS

    def has_control_permission(self, request: HttpRequest) -> bool:
        """Fields are not edited, yet whoever may change jobs may steer them."""
        return bool(request.user.has_perm("training.change_trainingjob"))


@admin.register(RunAttempt)
class RunAttemptAdmin(ReadOnlyAdmin):
    """Every attempt, and how it ended."""

    list_display = [
        "job",
        "number",
        "outcome",
        "failure_kind",
        "charged",
        "created_at",
    ]
    list_select_related = ["job"]
    exclude = ["token_hash"]
    show_full_result_count = False


@admin.register(CalibrationRecord)
class CalibrationRecordAdmin(ReadOnlyAdmin):
    """What every finished run and probe taught."""

    list_display = ["base_model", "gpu_type", "method", "kind", "outcome", "created_at"]
    list_filter = ["kind", "outcome", "gpu_type", "method"]
    search_fields = ["base_model"]
    raw_id_fields = ["job"]
    show_full_result_count = False
