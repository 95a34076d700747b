"""What every page's frame needs."""

from typing import Any

from django.http import HttpRequest

from notifications.models import Notification

STYLESHEETS = tuple(
    f"css/{name}.css"
    for name in (
        "tokens",
        "base",
        "frame",
        "buttons",
        "forms",
        "panels",
        "tables",
        "badges",
        "toasts",
    )
)


def console(request: HttpRequest) -> dict[str, Any]:
    """The components' stylesheets, and the unread count of the bell."""
    found: dict[str, Any] = {"stylesheets": STYLESHEETS}
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        own = Notification.objects.visible_to(user)
        found["unread_count"] = own.unread().count()
    return found
