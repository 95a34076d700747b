"""One delivery attempt and its outcome."""

import smtplib
from datetime import timedelta
from uuid import UUID

from django.conf import settings
from django.utils import timezone

from notifications.models import Delivery
from notifications.sending.channels import DeliveryFailed, send_email, send_webhook
from notifications.sending.rest import note_failure, note_success
from notifications.sending.slots import slot_of
from notifications.sending.targets import TargetRefused

GONE = 410
BUSY_SECONDS = 1.0
REMOVED = "Webhook removed."
RESTS = "The webhook is paused because it failed repeatedly: resume it, then resend."
DIED = "Sending ended the worker three times and was given up; ask an operator."
OUR_FAULT = "Sending failed on our side; an operator finds the reason in the log."


def try_delivery(delivery_id: UUID | str) -> float | None:
    """Try once; returns the seconds until the next attempt, or None.

    A finished delivery, or one whose notification is gone, is skipped, so running this
    twice sends once. A webhook's is put off, without an attempt, while its user holds
    enough slots; e-mails all go to the operator's own server.
    """
    known = Delivery.objects.select_related("notification", "webhook")
    delivery = known.filter(pk=delivery_id).first()
    if delivery is None or delivery.is_settled:
        return None
    if delivery.channel == Delivery.Channel.EMAIL:
        return _try(delivery)
    with slot_of(delivery.notification.user_id) as is_free:
        return _try(delivery) if is_free else BUSY_SECONDS


def _try(delivery: Delivery) -> float | None:
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
    if delivery.webhook is not None:
        note_success(delivery.webhook)
    return None


def _send(delivery: Delivery) -> int | None:
    """The HTTP status from the receiver, if any."""
    if delivery.channel == Delivery.Channel.EMAIL:
        send_email(delivery.notification, delivery.target)
        return None
    if delivery.webhook is None:
        raise TargetRefused(REMOVED)
    if delivery.webhook.resting_since is not None:
        raise TargetRefused(RESTS)
    return send_webhook(delivery, delivery.webhook)


def _failed(delivery: Delivery, words: str, *, retry: bool) -> float | None:
    delivery.error = words[:1000]
    hook = delivery.webhook
    rests = hook is not None and note_failure(hook, words)
    again = retry and not rests and delivery.attempts < settings.NOTICE_MAX_ATTEMPTS
    pause = pause_after(delivery.attempts) if again else None
    later = timedelta(seconds=pause) if pause is not None else None
    delivery.status = Delivery.Status.RETRYING if again else Delivery.Status.FAILED
    delivery.next_try_at = timezone.now() + later if later is not None else None
    delivery.save()
    return pause


def pause_after(attempts: int) -> float:
    """Seconds before the next attempt: 10, 40, 160, 640, … by default."""
    return float(settings.NOTICE_RETRY_SECONDS * 4 ** (attempts - 1))


def give_up(delivery_id: UUID | str, *, died: bool) -> None:
    """The task of sending failed for good."""
    delivery = Delivery.objects.filter(pk=delivery_id).first()
    if delivery is None or delivery.is_settled:
        return
    delivery.status, delivery.next_try_at = Delivery.Status.FAILED, None
    delivery.error = DIED if died else OUR_FAULT
    delivery.save(update_fields=["status", "next_try_at", "error"])
