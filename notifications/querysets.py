"""Every read of notifications, and of what sends them out."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import models

if TYPE_CHECKING:
    from lora_pipeline.models import User

    # Named only inside QuerySet["..."], where ruff does not look.
    from notifications.models import (
        Delivery,
        Notification,
        Preference,  # noqa: F401
        Webhook,
    )


class NotificationQuerySet(models.QuerySet["Notification"]):
    """Reads shared by pages, API and admin."""

    def visible_to(self, user: "User") -> "NotificationQuerySet":
        """The user's own notices."""
        return self.filter(user=user)

    def unread(self) -> "NotificationQuerySet":
        """Neither opened nor marked as read."""
        return self.filter(read=False)

    def find(self, notice_id: UUID | str) -> "Notification | None":
        """The notice with this id, or None."""
        return self.filter(pk=notice_id).first()


class PreferenceQuerySet(models.QuerySet["Preference"]):
    """Reads of what users chose."""

    def visible_to(self, user: "User") -> "PreferenceQuerySet":
        """The user's own choices."""
        return self.filter(user=user)


class WebhookQuerySet(models.QuerySet["Webhook"]):
    """Reads of webhooks."""

    def visible_to(self, user: "User") -> "WebhookQuerySet":
        """The user's own webhooks."""
        return self.filter(user=user)

    def find(self, webhook_id: UUID | str) -> "Webhook | None":
        """The webhook with this id, or None."""
        return self.filter(pk=webhook_id).first()


class DeliveryQuerySet(models.QuerySet["Delivery"]):
    """Reads of deliveries."""

    def visible_to(self, user: "User") -> "DeliveryQuerySet":
        """Deliveries of the user's own notices, with them."""
        return self.filter(notification__user=user).select_related("notification")

    def find(self, delivery_id: UUID | str) -> "Delivery | None":
        """The delivery with this id, or None."""
        return self.filter(pk=delivery_id).first()
