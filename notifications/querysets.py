"""Every read of notifications."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import models

if TYPE_CHECKING:
    from lora_pipeline.models import User
    from notifications.models import Notification


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
