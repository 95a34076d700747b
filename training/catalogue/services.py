"""What operators change in the catalogue of GPU types and base models."""

from collections.abc import Iterable
from decimal import Decimal

from django.db import transaction
from django.utils import timezone

from training.models import BaseModel, GpuPrice, GpuType


@transaction.atomic
def save_gpu_type(
    *, gpu: GpuType, fields: Iterable[str], by: str, is_new: bool = False
) -> GpuPrice | None:
    """Write what a form changed, and a row of history when that is the price.

    Jobs keep the price that they froze; estimates from now on take the new one.
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
    """Write a new model, or what a form changed of one."""
    if is_new:
        model.save(force_insert=True)
    elif changed := list(fields):
        model.save(update_fields=changed)
