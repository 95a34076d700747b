"""Operators' writes to the catalogue of GPU types and base models."""

from collections.abc import Iterable
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from training.models import BaseModel, GpuPrice, GpuType


@transaction.atomic
def save_gpu_type(
    *, gpu: GpuType, fields: Iterable[str], by: str, is_new: bool = False
) -> GpuPrice | None:
    """Save a form's changes, and record a price change in the history.

    Existing jobs keep their frozen price; new estimates use the new one.
    """
    if is_new:
        gpu.save(force_insert=True)
        return _record(gpu, None, by)
    before = GpuType.objects.select_for_update().get(pk=gpu.pk).usd_per_hour
    if changed := list(fields):
        gpu.save(update_fields=changed)
    return _record(gpu, before, by) if gpu.usd_per_hour != before else None


def _record(gpu: GpuType, before: Decimal | None, by: str) -> GpuPrice:
    return GpuPrice.objects.create(
        gpu_type=gpu,
        at=timezone.now(),
        from_usd=before,
        to_usd=gpu.usd_per_hour,
        by=by,
    )


@transaction.atomic
def save_base_model(
    *, model: BaseModel, fields: Iterable[str], is_new: bool = False
) -> None:
    """Save a new base model or a form's changes to one."""
    if is_new:
        model.save(force_insert=True)
    elif changed := list(fields):
        model.save(update_fields=changed)
