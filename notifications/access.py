"""Whose notice, webhook or delivery it is."""

from uuid import UUID

from lora_pipeline.errors import NotYours
from lora_pipeline.models import User
from notifications.models import Delivery, Notification, Webhook


def own_notice(user: User, notice_id: UUID) -> Notification:
    """The user's notice. Raises NotYours."""
    if (notice := Notification.objects.visible_to(user).find(notice_id)) is None:
        raise NotYours("notification")
    return notice


def own_webhook(user: User, webhook_id: UUID) -> Webhook:
    """The user's webhook. Raises NotYours."""
    if (webhook := Webhook.objects.visible_to(user).find(webhook_id)) is None:
        raise NotYours("webhook")
    return webhook


def own_delivery(user: User, delivery_id: UUID) -> Delivery:
    """A delivery of one of the user's notices. Raises NotYours."""
    if (delivery := Delivery.objects.visible_to(user).find(delivery_id)) is None:
        raise NotYours("delivery")
    return delivery
