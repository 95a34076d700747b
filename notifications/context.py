"""What the bell in every page's frame needs."""

from typing import Any

from django.http import HttpRequest
from django.utils.functional import SimpleLazyObject

from notifications.models import Notification


def unread(request: HttpRequest) -> dict[str, Any]:
    """How many notices are unread; lazy, for a fragment without the bell never asks."""
    user = getattr(request, "user", None)
    if user is None or not user.is_authenticated:
        return {}
    own = Notification.objects.visible_to(user)
    return {"unread_count": SimpleLazyObject(own.unread().count)}
