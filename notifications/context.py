"""Template context for the bell in the page header."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from notifications.models import Notification


def unread(request: HttpRequest) -> dict[str, Any]:
    """Unread count; lazy, because fragments without the bell never need it."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    own = Notification.objects.visible_to(user)
    return {"unread_count": SimpleLazyObject(own.unread().count)}
