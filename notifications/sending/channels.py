"""Delivery channels: e-mail and signed HTTP requests."""

import base64
import hashlib
import hmac
import http.client
import json
import time
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.core.mail import EmailMessage
from django.core.validators import validate_email

from lora_pipeline.web.own_address import public_url
from notifications.models import Delivery, Notification, Webhook
from notifications.sending.addresses import confirmation_path
from notifications.sending.deadline import Deadline, open_socket, tls_context
from notifications.sending.targets import Target, TargetRefused, parse_target, resolve

SECRET_START = "whsec_"  # noqa: S105 - how one begins, not one itself
MOST_ANSWER_BYTES = 2000


class DeliveryFailed(Exception):
    """Delivery failed; `status` is the receiver's HTTP status, if it answered."""

    def __init__(self, words: str, status: int | None = None) -> None:
        super().__init__(words)
        self.status = status


def link_of(notice: Notification) -> str:
    """Absolute URL of the notification's page."""
    url = notice.action_url
    return f"{public_url()}{url}" if url.startswith("/") else url


def send_email(notice: Notification, address: str) -> None:
    """Send a plain-text e-mail. Raises OSError or smtplib.SMTPException, TargetRefused
    for an invalid address.
    """
    try:
        validate_email(address)
    except ValidationError:
        raise TargetRefused(f"{address[:100]!r} is not an e-mail address.") from None
    link = link_of(notice)
    if notice.type == "confirm_address":  # the link stands in the mail alone
        link = public_url() + confirmation_path(notice.user_id, address)
    body = f"{notice.message}\n\n{link}\n\n--\n{_footer()}"
    subject = f"[LoRA Pipeline] {in_header(notice.title)}"
    headers = {"Message-ID": f"<{notice.pk}@lora-pipeline>", "Auto-Submitted": "yes"}
    EmailMessage(subject=subject, body=body, to=[address], headers=headers).send()


def in_header(text: str) -> str:
    """Words as one line of a header: nothing in them can end it and begin another."""
    shown = (c if c.isprintable() else " " for c in text)
    return " ".join("".join(shown).split())


def _footer() -> str:
    return f"Notification settings: {public_url()}/notifications/settings"


def payload(notice: Notification) -> dict[str, Any]:
    """Body of a webhook call. `text` alone is a valid Slack message."""
    link = link_of(notice)
    told = f"{notice.title}: {notice.message}"
    return {
        "text": f"{told} {link}".strip(),
        "notice": {
            "id": str(notice.pk),
            "type": notice.type,
            "title": notice.title,
            "message": notice.message,
            "priority": notice.priority,
            "url": link,
            "metadata": notice.metadata,
            "created_at": notice.created_at.isoformat(),
        },
    }


def sign(secret: str, identity: str, timestamp: str, body: bytes) -> str:
    """`v1,` and the base64 HMAC-SHA256 of `id.timestamp.body`, as in Standard Webhooks.

    The secret is `whsec_` and 32 bytes in base64.
    """
    key = base64.b64decode(secret.removeprefix(SECRET_START))
    signed = f"{identity}.{timestamp}.".encode() + body
    digest = hmac.new(key, signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(digest).decode()


def send_webhook(delivery: Delivery, webhook: Webhook) -> int:
    """Post the notification once; returns the 2xx status.

    Raises TargetRefused, DeliveryFailed for any other status (including redirects,
    which are not followed), or OSError when the connection fails.
    """
    target = parse_target(webhook.url)
    body = json.dumps(payload(delivery.notification)).encode()
    now = str(int(time.time()))
    headers = {
        "Host": target.host_header,
        "Content-Type": "application/json",
        "User-Agent": "LoRA-Pipeline",
        "webhook-id": str(delivery.pk),
        "webhook-timestamp": now,
        "webhook-signature": sign(webhook.secret, str(delivery.pk), now, body),
    }
    status, answer = _post(target, body, headers)
    if 200 <= status < 300:
        return status
    told = answer.decode(errors="replace").strip()[:200]
    raise DeliveryFailed(f"The receiver answered {status}. {told}".strip(), status)


def _post(target: Target, body: bytes, headers: dict[str, str]) -> tuple[int, bytes]:
    """One exchange, in WEBHOOK_SECONDS from the look-up of the name to its end."""
    deadline = Deadline(settings.WEBHOOK_SECONDS)
    connection = Pinned(target, resolve(target, deadline), deadline)
    try:
        connection.request("POST", target.path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read(MOST_ANSWER_BYTES)
    except http.client.HTTPException as error:
        raise DeliveryFailed(f"The response was not valid HTTP: {error!r}") from error
    finally:
        connection.close()


class Pinned(http.client.HTTPConnection):
    """Connects to the addresses that were checked, but uses the original host name."""

    def __init__(
        self, target: Target, addresses: list[str], deadline: Deadline
    ) -> None:
        super().__init__(target.host, target.port)
        self._target, self._addresses, self._deadline = target, addresses, deadline

    def connect(self) -> None:
        sock = open_socket(self._addresses, self._target.port, self._deadline)
        self.sock = sock  # closed with the connection, also by a failed handshake
        if self._target.secure:
            name = self._target.host
            self.sock = tls_context().wrap_socket(sock, server_hostname=name)
