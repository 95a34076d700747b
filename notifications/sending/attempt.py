"""One try of a delivery, and what becomes of it."""

import smtplib
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from notifications.models import Delivery
from notifications.sending.channels import DeliveryFailed, send_email, send_webhook
from notifications.sending.targets import TargetRefused

GONE = 410
REMOVED = "The webhook was removed."
DIED = "Sending ended the worker three times and was given up; ask an operator."
OUR_FAULT = "Sending failed on our side; an operator finds the reason in the log."


def try_delivery(delivery_id: UUID | str) -> float | None:
    """Try once; returns the seconds until the next try, None when there is none.

    A delivery that is settled, or whose notice is gone, is left alone, so that running
    this twice sends once.
    """
    known = Delivery.objects.select_related("notification", "webhook")
    delivery = known.filter(pk=delivery_id).first()
    if delivery is None or delivery.is_settled:
        return None
    delivery.attempts += 1
    delivery.tried_at = timezone.now()
    try:
        delivery.response_status = _send(delivery)
    except TargetRefused as error:
        return _failed(delivery, str(error), retry=False)
    except DeliveryFailed as error:
        delivery.response_status = error.status
        return _failed(delivery, str(error), retry=error.status != GONE)
    except (OSError, smtplib.SMTPException) as error:
        return _failed(delivery, str(error) or type(error).__name__, retry=True)
    delivery.status, delivery.error = Delivery.Status.DELIVERED, ""
    delivery.next_try_at = None
    delivery.save()
    return None


def _send(delivery: Delivery) -> int | None:
    """The receiver's status, where it has one."""
    if delivery.channel == Delivery.Channel.EMAIL:
        send_email(delivery.notification, delivery.target)
        return None
    if delivery.webhook is None:
        raise TargetRefused(REMOVED)
    return send_webhook(delivery, delivery.webhook)


def _failed(delivery: Delivery, words: str, *, retry: bool) -> float | None:
    delivery.error = words[:1000]
    again = retry and delivery.attempts < settings.NOTICE_MAX_ATTEMPTS
    pause = pause_after(delivery.attempts) if again else None
    later = timedelta(seconds=pause) if pause is not None else None
    delivery.status = Delivery.Status.RETRYING if again else Delivery.Status.FAILED
    delivery.next_try_at = timezone.now() + later if later is not None else None
    delivery.save()
    return pause


def pause_after(attempts: int) -> float:
    """Seconds before the next try: 10, 40, 160, 640, … with the usual settings."""
    return float(settings.NOTICE_RETRY_SECONDS * 4 ** (attempts - 1))


def give_up(delivery_id: UUID | str, *, died: bool) -> None:
    """The task of sending failed for good."""
    delivery = Delivery.objects.filter(pk=delivery_id).first()
    if delivery is None or delivery.is_settled:
        return
    delivery.status, delivery.next_try_at = Delivery.Status.FAILED, None
    delivery.error = DIED if died else OUR_FAULT
    delivery.save(update_fields=["status", "next_try_at", "error"])
