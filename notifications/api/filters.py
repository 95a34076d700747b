"""The filter of the notification list, shared by API and page."""

import django_filters

from notifications.models import Notification

ANSWERS = {"true": True, "false": False}


class ReadFilter(django_filters.TypedChoiceFilter):
    """`true` or `false`; anything else is rejected with the allowed values."""

    def __init__(self) -> None:
        words = f"Received '%(value)s'; choose from: {', '.join(ANSWERS)}."
        super().__init__(
            choices=[(answer, answer) for answer in ANSWERS],
            coerce=ANSWERS.__getitem__,
            error_messages={"invalid_choice": words},
        )


class NotificationFilter(django_filters.FilterSet):
    """Read or unread."""

    read = ReadFilter()

    class Meta:
        model = Notification
        fields = ["read"]
