"""Queues deliveries: who gets what, over which channel."""

from django.db import transaction
from procrastinate.contrib.django import app

from lora_pipeline.models import User
from notifications.messages import KINDS
from notifications.models import Delivery, Notification, Webhook
from notifications.preferences import choice_for, email_is_possible


def send_out(notice: Notification) -> None:
    """Queue deliveries over the channels the user chose for this kind."""
    if notice.type not in KINDS:
        return
    choice = choice_for(notice.user_id, notice.type)
    if choice.by_email and email_is_possible():
        address = User.objects.values_list("email", flat=True).get(pk=notice.user_id)
        if address:
            send(notice, Delivery.Channel.EMAIL, address)
    if choice.by_webhook:
        for webhook in Webhook.objects.filter(user=notice.user_id).awake():
            send(notice, Delivery.Channel.WEBHOOK, webhook.url, webhook)


def send(
    notice: Notification, channel: str, target: str, webhook: Webhook | None = None
) -> Delivery:
    """Queue one delivery; the worker sends it after the transaction commits."""
    delivery = Delivery.objects.create(
        notification=notice, channel=channel, target=target, webhook=webhook
    )
    _defer(delivery)
    return delivery


@transaction.atomic
def send_again(*, delivery: Delivery) -> None:
    """Retry a failed delivery, counting attempts from one again."""
    delivery.status = Delivery.Status.WAITING
    delivery.attempts, delivery.next_try_at = 0, None
    delivery.save(update_fields=["status", "attempts", "next_try_at"])
    _defer(delivery)


def _defer(delivery: Delivery) -> None:
    """By the task's name: the task itself may queue a notification, and imports us."""
    app.configure_task("deliver_notice").defer(delivery_id=str(delivery.pk))
