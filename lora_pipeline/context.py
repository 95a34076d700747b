"""What every page's frame needs."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

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
        "lists",
    )
)


def console(request: HttpRequest) -> dict[str, Any]:
    """The components' stylesheets, and the unread count of the bell.

    The count is lazy: a fragment that does not show the bell does not ask for it.
    """
    found: dict[str, Any] = {"stylesheets": STYLESHEETS}
    user = getattr(request, "user", None)
    if user is not None and user.is_authenticated:
        own = Notification.objects.visible_to(user)
        found["unread_count"] = SimpleLazyObject(own.unread().count)
    return found
