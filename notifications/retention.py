"""Retention of notifications and deliveries: which have expired, and removing them."""

from datetime import datetime

from lora_pipeline.operations.retention import Freed
from notifications.models import Delivery, Notification

SETTLED = (Delivery.Status.DELIVERED, Delivery.Status.FAILED)


def remove_notices(before: datetime, *, dry_run: bool) -> Freed:
    """Notifications older than a point in time, with their deliveries."""
    old = Notification.objects.filter(created_at__lt=before)
    freed = Freed("notices", old.count())
    if not dry_run:
        old.delete()
    return freed


def remove_deliveries(before: datetime, *, dry_run: bool) -> Freed:
    """Finished deliveries; those still being retried stay."""
    old = Delivery.objects.filter(created_at__lt=before, status__in=SETTLED)
    freed = Freed("deliveries", old.count())
    if not dry_run:
        old.delete()
    return freed
