"""Webhooks that fail repeatedly are paused, and their owners notified."""

from django.db.models import F
from django.utils import timezone

from notifications.models import Webhook
from notifications.services import tell

REST_AFTER = 10
"""Failed attempts in a row. A notification has six, so several have failed by then."""


def note_success(webhook: Webhook) -> None:
    """Reset the count."""
    Webhook.objects.filter(pk=webhook.pk).exclude(failures=0).update(failures=0)


def note_failure(webhook: Webhook, words: str) -> bool:
    """Count one more; returns whether the webhook is paused. Its owner is told once."""
    own = Webhook.objects.filter(pk=webhook.pk)
    own.update(failures=F("failures") + 1)
    spent = own.filter(failures__gte=REST_AFTER, resting_since=None)
    if spent.update(resting_since=timezone.now(), rest_reason=words[:300]):
        values = {"host": str(webhook), "failures": REST_AFTER, "words": words[:300]}
        tell(
            user_id=webhook.user_id,
            kind="webhook_resting",
            values=values,
            action_url="/notifications/settings",
        )
    return own.exclude(resting_since=None).exists()
