"""What can be trained on, and what with: GPU types, prices, machines, base models."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from lora_pipeline.admin_site.base import BoundedAdmin, ReadOnlyAdmin, ReadOnlyRows
from training.catalogue.services import save_base_model, save_gpu_type
from training.models import BaseModel, DeviceClaim, GpuOffer, GpuPrice, GpuType, Machine
from training.operators.actions import MACHINE_ACTIONS
from training.operators.forms import BaseModelForm, GpuTypeForm


class PriceRows(ReadOnlyRows):
    """What the type cost, newest first."""

    model = GpuPrice
    fields = ("at", "from_usd", "to_usd", "by")
    verbose_name_plural = "price history"


@admin.register(GpuType)
class GpuTypeAdmin(BoundedAdmin):
    """Prices and speeds; a suggested type is enabled once it has a price.

    A type is disabled, not deleted: jobs name it. Its price is of jobs to come.
    """

    form = GpuTypeForm
    list_display = (
        "name", "usd_per_hour", "suggested_usd_per_hour", "tokens_per_second",
        "memory_gb", "evidence", "enabled",
    )  # fmt: skip
    list_filter = ("enabled", "evidence")
    inlines = (PriceRows,)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        fixed = ("suggested_usd_per_hour", "suggestion_note")
        return fixed if obj is None else ("name", *fixed)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: GpuType, form: Any, change: bool
    ) -> None:
        by = request.user.get_username()
        fields = form.changed_data
        save_gpu_type(gpu=obj, fields=fields, by=by, is_new=not change)


@admin.register(GpuPrice)
class GpuPriceAdmin(ReadOnlyAdmin):
    """Every change of a price: when, from what, to what, by whom."""

    list_display = ("gpu_type", "from_usd", "to_usd", "at", "by")
    list_select_related = ("gpu_type",)
    ordering = ("-pk",)
    search_start = "gpu_type__name"


@admin.register(GpuOffer)
class GpuOfferAdmin(ReadOnlyAdmin):
    """What machines offer; the fleet page shows what of it is free."""

    list_display = ("backend", "gpu_type", "count", "seen_at")
    list_select_related = ("gpu_type",)
    ordering = ("pk",)


@admin.register(Machine)
class MachineAdmin(ReadOnlyAdmin):
    """When each was last seen; a draining one starts nothing new."""

    list_display = ("name", "hostname", "seen_at", "draining_since", "drained_by")
    ordering = ("pk",)
    actions = MACHINE_ACTIONS

    def has_drain_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "drain")


@admin.register(DeviceClaim)
class DeviceClaimAdmin(ReadOnlyAdmin):
    """Devices in use; a claim ends when the process of its run is gone."""

    list_display = ("device", "backend", "attempt")
    list_select_related = ("attempt",)
    ordering = ("pk",)


@admin.register(BaseModel)
class BaseModelAdmin(BoundedAdmin):
    """What can be trained on; a model is disabled, not deleted: jobs name it."""

    form = BaseModelForm
    list_display = ("id", "name", "source", "parameters", "is_here", "enabled")
    list_filter = ("enabled", "source")
    search_fields = ("id", "name")
    search_help_text = "By a part of the id or the name."
    get_search_results = admin.ModelAdmin.get_search_results

    @admin.display(boolean=True, description="is here")
    def is_here(self, model: BaseModel) -> bool:
        return model.is_here

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """What jobs were trained on stays what it was."""
        return ("fetched_at",) if obj is None else ("id", "source", "fetched_at")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: BaseModel, form: Any, change: bool
    ) -> None:
        save_base_model(model=obj, fields=form.changed_data, is_new=not change)
