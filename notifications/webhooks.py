"""Writes to webhooks, and e-mails that a user asks for."""

import base64
import secrets
from datetime import timedelta
from math import ceil
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from lora_pipeline.accounts.quotas import require_room
from lora_pipeline.errors import Refusal, Rule
from lora_pipeline.models import User
from notifications.messages import ASKED_FOR, KINDS
from notifications.models import Delivery, Notification, Webhook
from notifications.preferences import email_is_possible
from notifications.sending.channels import SECRET_START
from notifications.sending.queue import send
from notifications.sending.targets import (
    LONGEST_URL,
    TargetRefused,
    parse_target,
    resolve,
)

HOUR = timedelta(hours=1)
TOO_MANY = (
    "At most {limit} test e-mails and confirmation links are sent per hour: try again "
    "in {minutes} min."
)
KNOWN_WEBHOOK = Rule(
    code="known_webhook",
    words="You already have a webhook with this URL.",
    when="The URL is already used by another webhook.",
)
RESTING_WEBHOOK = Rule(
    code="webhook_resting",
    words="This webhook is paused because it failed repeatedly: resume it first.",
    when="It failed repeatedly and is paused.",
)


def add_webhook(*, owner: User, url: str) -> Webhook:
    """Add a webhook. Raises Refusal for a URL that cannot be used."""
    _require_usable(url)
    secret = SECRET_START + base64.b64encode(secrets.token_bytes(32)).decode()
    return _insert(owner, url, secret)


def _require_usable(url: str) -> None:
    if len(url) > LONGEST_URL:
        raise _refused(f"Received {len(url)} characters; at most {LONGEST_URL}.")
    try:
        resolve(parse_target(url))
    except (TargetRefused, OSError) as error:
        raise _refused(str(error)) from None


def _refused(words: str) -> Refusal:
    return Refusal(words, code="invalid", details={"url": [words]})


@transaction.atomic
def _insert(owner: User, url: str, secret: str) -> Webhook:
    require_room(owner=owner, kind="webhooks")
    own = Webhook.objects.visible_to(owner)
    if own.filter(url=url).exists():
        raise KNOWN_WEBHOOK.refusal()
    return Webhook.objects.create(user=owner, url=url, secret=secret)


def webhooks_of(user: User) -> int:
    """How many a user has."""
    return Webhook.objects.visible_to(user).count()


def remove_webhook(*, webhook: Webhook) -> None:
    """Remove a webhook; pending deliveries are dropped too."""
    webhook.delete()


def wake_webhook(*, webhook: Webhook) -> None:
    """Resume a paused webhook; what was skipped meanwhile stays in the console only."""
    webhook.failures, webhook.resting_since, webhook.rest_reason = 0, None, ""
    webhook.save(update_fields=["failures", "resting_since", "rest_reason"])


@transaction.atomic
def send_test(*, webhook: Webhook) -> Delivery:
    """Send a test notification to this webhook only. Raises Refusal if it is paused."""
    if webhook.resting_since is not None:
        raise RESTING_WEBHOOK.refusal()
    notice = _asked_for(webhook.user_id, "test")
    return send(notice, Delivery.Channel.WEBHOOK, webhook.url, webhook)


def send_test_email(*, user: User) -> Delivery:
    """Send a test e-mail to the user. Raises Refusal if e-mail is not possible."""
    return _mail(user, "test", user.email)


def ask_to_confirm(*, user: User, email: str) -> Delivery:
    """Mail a link that confirms a new address. Raises Refusal if not possible."""
    return _mail(user, "confirm_address", email)


@transaction.atomic
def _mail(user: User, kind: str, address: str) -> Delivery:
    if not email_is_possible() or not address:
        words = (
            "No e-mail can be sent: no mail server is configured, "
            "or you have no e-mail address."
        )
        raise Refusal(words, status_code=409, code="no_email")
    User.objects.select_for_update().get(pk=user.pk)
    _require_few(user.pk)
    return send(_asked_for(user.pk, kind), Delivery.Channel.EMAIL, address)


def _require_few(user_id: UUID) -> None:
    """Raises Refusal (429), so that the console cannot be used to flood a mailbox."""
    now = timezone.now()
    sent = Delivery.objects.filter(
        notification__user=user_id,
        notification__type__in=ASKED_FOR,
        channel=Delivery.Channel.EMAIL,
        created_at__gt=now - HOUR,
    ).order_by("created_at")
    times = list(sent.values_list("created_at", flat=True))
    if len(times) >= (limit := settings.TEST_MAILS_PER_HOUR):
        wait = max(ceil((times[-limit] + HOUR - now).total_seconds()), 1)
        words = TOO_MANY.format(limit=limit, minutes=ceil(wait / 60))
        raise Refusal(words, status_code=429, code="too_many_mails", retry_after=wait)


def _asked_for(user_id: UUID, kind: str) -> Notification:
    """Already marked as read, so that the bell does not count it."""
    words = KINDS[kind]
    return Notification.objects.create(
        user_id=user_id,
        type=kind,
        title=words.title,
        message=words.message,
        read=True,
        action_url="/notifications/settings",
    )
