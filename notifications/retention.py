"""Which notices and deliveries are kept no longer, and removing them."""

from datetime import datetime

from lora_pipeline.operations.retention import Freed
from notifications.models import Delivery, Notification

SETTLED = (Delivery.Status.DELIVERED, Delivery.Status.FAILED)


def remove_notices(before: datetime, *, dry_run: bool) -> Freed:
    """Notices of before a moment, with what is known of their deliveries."""
    old = Notification.objects.filter(created_at__lt=before)
    freed = Freed("notices", old.count())
    if not dry_run:
        old.delete()
    return freed


def remove_deliveries(before: datetime, *, dry_run: bool) -> Freed:
    """The log of deliveries that are settled; one that is still tried stays."""
    old = Delivery.objects.filter(created_at__lt=before, status__in=SETTLED)
    freed = Freed("deliveries", old.count())
    if not dry_run:
        old.delete()
    return freed
