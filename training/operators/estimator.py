"""Calibration data in the admin."""

from typing import Any

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest

from lora_pipeline.admin_site.base import ReadOnlyAdmin
from training.models import (
    CalibrationCell,
    CalibrationRecord,
    CalibrationScore,
    GpuType,
)


class OfGpuType(admin.SimpleListFilter):
    """The catalogue's types, because a query on the records would read them all."""

    title = "GPU type"
    parameter_name = "gpu_type"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        names = GpuType.objects.values_list("name", flat=True)
        return [(name, name) for name in names]

    def queryset(
        self, request: HttpRequest, queryset: "QuerySet[Any]"
    ) -> "QuerySet[Any]":
        wanted = self.value()
        return queryset.filter(gpu_type=wanted) if wanted else queryset


@admin.register(CalibrationRecord)
class CalibrationRecordAdmin(ReadOnlyAdmin):
    """Records of finished runs and probes."""

    list_display = ("base_model", "gpu_type", "method", "kind", "outcome", "created_at")
    list_deferred = ("setup", "measured", "predicted")
    list_filter = ("kind", "outcome", OfGpuType)
    ordering = ("-pk",)
    search_job = "job"


@admin.register(CalibrationCell)
class CalibrationCellAdmin(ReadOnlyAdmin):
    """Calibration cells: mean residuals of similar runs."""

    list_display = ("target", "key", "count", "total", "squares")
    ordering = ("-pk",)


@admin.register(CalibrationScore)
class CalibrationScoreAdmin(ReadOnlyAdmin):
    """Errors of past estimates, and whether their intervals held."""

    list_display = ("target", "score", "inside", "created_at")
    list_filter = ("inside",)
    ordering = ("-pk",)
