"""What every page's frame needs."""

from typing import Any

from django.http import HttpRequest

from notifications.models import Notification


def console(request: HttpRequest) -> dict[str, Any]:
    """The unread count of the bell, counted only when a page shows it."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    return {"unread_count": Notification.objects.visible_to(user).unread().count}
