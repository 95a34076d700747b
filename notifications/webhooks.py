"""Writes to webhooks."""

import base64
import secrets
from uuid import UUID

from django.db import transaction

from lora_pipeline.accounts.quotas import require_room
from lora_pipeline.errors import Refusal, Rule
from lora_pipeline.models import User
from notifications.messages import KINDS
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

KNOWN_WEBHOOK = Rule(
    code="known_webhook",
    words="You already have a webhook with this URL.",
    when="The URL is already used by another webhook.",
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


@transaction.atomic
def send_test(*, webhook: Webhook) -> Delivery:
    """Send a test notification to this webhook only."""
    notice = _test_notice(webhook.user_id)
    return send(notice, Delivery.Channel.WEBHOOK, webhook.url, webhook)


@transaction.atomic
def send_test_email(*, user: User) -> Delivery:
    """Send a test e-mail to the user. Raises Refusal if e-mail is not possible."""
    if not email_is_possible() or not user.email:
        words = (
            "No e-mail can be sent: no mail server is configured, "
            "or you have no e-mail address."
        )
        raise Refusal(words, status_code=409, code="no_email")
    return send(_test_notice(user.pk), Delivery.Channel.EMAIL, user.email)


def _test_notice(user_id: UUID) -> Notification:
    """Already marked as read, so that the bell does not count it."""
    words = KINDS["test"]
    return Notification.objects.create(
        user_id=user_id,
        type="test",
        title=words.title,
        message=words.message,
        read=True,
        action_url="/notifications/settings",
    )
