"""Writes of webhooks, and of the mails that a user asks for."""

import base64
import secrets
from datetime import timedelta
from math import ceil
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from lora_pipeline.errors import Refusal
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

MOST_WEBHOOKS = 10
HOUR = timedelta(hours=1)
TOO_MANY = (
    "Test mails and links are sent {limit} times an hour at most: try again in "
    "{minutes} min."
)


def add_webhook(*, owner: User, url: str) -> Webhook:
    """An address to post notices to. Raises Refusal for one that cannot be used."""
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
    User.objects.select_for_update().get(pk=owner.pk)
    own = Webhook.objects.visible_to(owner)
    if own.count() >= MOST_WEBHOOKS:
        words = f"You have {MOST_WEBHOOKS} webhooks, the most there can be: remove one."
        raise Refusal(words, status_code=409, code="too_many_webhooks")
    if own.filter(url=url).exists():
        words = "You already have a webhook with this URL."
        raise Refusal(words, status_code=409, code="known_webhook")
    return Webhook.objects.create(user=owner, url=url, secret=secret)


def remove_webhook(*, webhook: Webhook) -> None:
    """Nothing more is sent there, also of what is on its way."""
    webhook.delete()


def wake_webhook(*, webhook: Webhook) -> None:
    """Send notices there again; what was not sent meanwhile stays in the console."""
    webhook.failures, webhook.resting_since, webhook.rest_reason = 0, None, ""
    webhook.save(update_fields=["failures", "resting_since", "rest_reason"])


@transaction.atomic
def send_test(*, webhook: Webhook) -> Delivery:
    """A test notice to this webhook alone. Raises Refusal while it rests."""
    if webhook.resting_since is not None:
        words = "This webhook rests since it failed again and again: wake it first."
        raise Refusal(words, status_code=409, code="webhook_resting")
    notice = _asked_for(webhook.user_id, "test")
    return send(notice, Delivery.Channel.WEBHOOK, webhook.url, webhook)


def send_test_email(*, user: User) -> Delivery:
    """A test notice to the user's address. Raises Refusal where that cannot be."""
    return _mail(user, "test", user.email)


def ask_to_confirm(*, user: User, email: str) -> Delivery:
    """Mail a link to an address that notices are to go to. Raises Refusal where that
    cannot be.
    """
    return _mail(user, "confirm_address", email)


@transaction.atomic
def _mail(user: User, kind: str, address: str) -> Delivery:
    if not email_is_possible() or not address:
        words = (
            "No e-mail can be sent: there is no mail server, or no address of yours."
        )
        raise Refusal(words, status_code=409, code="no_email")
    User.objects.select_for_update().get(pk=user.pk)
    _require_few(user.pk)
    return send(_asked_for(user.pk, kind), Delivery.Channel.EMAIL, address)


def _require_few(user_id: UUID) -> None:
    """Raises Refusal (429): the console is nobody's way to flood a mailbox."""
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
        raise Refusal(words, status_code=429, code="too_many_mails", wait=wait)


def _asked_for(user_id: UUID, kind: str) -> Notification:
    """Already read, so that the bell does not ring for it."""
    words = KINDS[kind]
    return Notification.objects.create(
        user_id=user_id,
        type=kind,
        title=words.title,
        message=words.message,
        read=True,
        action_url="/notifications/settings",
    )
