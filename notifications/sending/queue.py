"""Notices on their way out: who gets what, each try, and what became of it."""

from django.db import transaction

from lora_pipeline.models import User
from notifications.messages import KINDS
from notifications.models import Delivery, Notification, Webhook
from notifications.preferences import choice_for, email_is_possible
from notifications.tasks import deliver


def send_out(notice: Notification) -> None:
    """Deliveries by the channels that the user chose for this kind of notice."""
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
    """One delivery, tried by the worker after the transaction."""
    delivery = Delivery.objects.create(
        notification=notice, channel=channel, target=target, webhook=webhook
    )
    deliver.defer(delivery_id=str(delivery.pk))
    return delivery


@transaction.atomic
def send_again(*, delivery: Delivery) -> None:
    """Begin anew with what failed, from the first try."""
    delivery.status = Delivery.Status.WAITING
    delivery.attempts, delivery.next_try_at = 0, None
    delivery.save(update_fields=["status", "attempts", "next_try_at"])
    deliver.defer(delivery_id=str(delivery.pk))
