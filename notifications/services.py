"""Writes of notifications."""

from typing import Any
from uuid import UUID

from lora_pipeline.models import User
from notifications.models import Notification


def notify(
    *,
    user_id: UUID,
    type: str,
    title: str,
    message: str,
    priority: str = Notification.Priority.LOW,
    action_url: str = "",
    metadata: dict[str, Any] | None = None,
) -> Notification:
    """Write one notification inside the caller's transaction."""
    return Notification.objects.create(
        user_id=user_id,
        type=type,
        title=title,
        message=message,
        priority=priority,
        action_url=action_url,
        metadata=metadata or {},
    )


def mark_read(*, notice: Notification) -> None:
    """The user has seen it; marking twice changes nothing."""
    if not notice.read:
        notice.read = True
        notice.save(update_fields=["read"])


def mark_all_read(*, user: User) -> int:
    """Mark what is unread now; answers how many notices that were."""
    return Notification.objects.visible_to(user).unread().update(read=True)
