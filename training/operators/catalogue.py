"""GPU types, prices, machines and base models in the admin."""

from typing import Any

from django.contrib import admin
from django.http import HttpRequest

from lora_pipeline.admin_site.base import BoundedAdmin, ReadOnlyAdmin, ReadOnlyRows
from training.catalogue.services import save_base_model, save_gpu_type
from training.models import BaseModel, DeviceClaim, GpuOffer, GpuPrice, GpuType, Machine
from training.operators.actions import MACHINE_ACTIONS
from training.operators.forms import BaseModelForm, GpuTypeForm


class PriceRows(ReadOnlyRows):
    """The type's price history, newest first."""

    model = GpuPrice
    fields = ("at", "from_usd", "to_usd", "by")
    verbose_name_plural = "price history"


@admin.register(GpuType)
class GpuTypeAdmin(BoundedAdmin):
    """Prices and speeds; a suggested type can be enabled once it has a price.

    Types are disabled, not deleted, because jobs refer to them. A price change affects
    only new jobs.
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
    """Every price change: when, from, to and by whom."""

    list_display = ("gpu_type", "from_usd", "to_usd", "at", "by")
    list_select_related = ("gpu_type",)
    ordering = ("-pk",)
    search_start = "gpu_type__name"


@admin.register(GpuOffer)
class GpuOfferAdmin(ReadOnlyAdmin):
    """GPUs offered by machines; the fleet page shows which are free."""

    list_display = ("backend", "gpu_type", "count", "seen_at")
    list_select_related = ("gpu_type",)
    ordering = ("pk",)


@admin.register(Machine)
class MachineAdmin(ReadOnlyAdmin):
    """Machines and their last heartbeat; a draining one starts nothing new."""

    list_display = ("name", "hostname", "seen_at", "draining_since", "drained_by")
    ordering = ("pk",)
    actions = MACHINE_ACTIONS

    def has_drain_permission(self, request: HttpRequest) -> bool:
        return self.may(request, "drain")


@admin.register(DeviceClaim)
class DeviceClaimAdmin(ReadOnlyAdmin):
    """Devices in use; a claim ends when its run's process is gone."""

    list_display = ("device", "backend", "attempt")
    list_select_related = ("attempt",)
    ordering = ("pk",)


@admin.register(BaseModel)
class BaseModelAdmin(BoundedAdmin):
    """Base models; disabled rather than deleted, because jobs refer to them."""

    form = BaseModelForm
    list_display = ("id", "name", "source", "parameters", "is_here", "enabled")
    list_filter = ("enabled", "source")
    search_fields = ("id", "name")
    search_help_text = "Search in id and name."
    get_search_results = admin.ModelAdmin.get_search_results

    @admin.display(boolean=True, description="on this machine")
    def is_here(self, model: BaseModel) -> bool:
        return model.is_here

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        """Fields that existing jobs depend on are read-only."""
        return ("fetched_at",) if obj is None else ("id", "source", "fetched_at")

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def save_model(
        self, request: HttpRequest, obj: BaseModel, form: Any, change: bool
    ) -> None:
        save_base_model(model=obj, fields=form.changed_data, is_new=not change)
