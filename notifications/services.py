"""Writes of notifications."""

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
    """Tell a user something of a registered kind, inside the caller's transaction.

    The values fill the words and are kept with the notice. Raises KeyError for an
    unknown kind or a missing value.
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
    """Write one notice, and send it where its user wants this kind to go."""
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
    """The user has seen it; marking twice changes nothing."""
    if not notice.read:
        notice.read = True
        notice.save(update_fields=["read"])


def mark_all_read(*, user: User) -> int:
    """Mark what is unread now; answers how many notices that were."""
    return Notification.objects.visible_to(user).unread().update(read=True)
