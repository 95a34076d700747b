"""Writes to notifications."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from lora_pipeline.models import User
from notifications.messages import KINDS
from notifications.models import Notification
from notifications.sending.queue import send_out


def tell(
    *, user_id: UUID, kind: str, values: Mapping[str, Any], action_url: str = ""
) -> Notification:
    """Send a notification of a registered kind, in the caller's transaction.

    The values fill the text and are stored with the notification. Raises KeyError for
    an unknown kind or a missing value.
    """
    words = KINDS[kind]
    return notify(
        user_id=user_id,
        type=kind,
        title=words.title,
        message=words.filled(values),
        priority=words.priority,
        action_url=action_url,
        metadata=dict(values),
    )


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
    """Write one notification and queue its deliveries."""
    notice = Notification.objects.create(
        user_id=user_id,
        type=type,
        title=title,
        message=message,
        priority=priority,
        action_url=action_url,
        metadata=metadata or {},
    )
    send_out(notice)
    return notice


def mark_read(*, notice: Notification) -> None:
    """Mark as read; idempotent."""
    if not notice.read:
        notice.read = True
        notice.save(update_fields=["read"])


def mark_all_read(*, user: User) -> int:
    """Mark all unread as read; returns how many there were."""
    return Notification.objects.visible_to(user).unread().update(read=True)
