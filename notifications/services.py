"""Writes of notifications."""

from typing import Any
from uuid import UUID

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
