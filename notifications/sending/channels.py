"""Delivery channels: e-mail and signed HTTP requests."""

import base64
import hashlib
import hmac
import http.client
import json
import socket
import ssl
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.mail import EmailMessage

from notifications.models import Delivery, Notification, Webhook
from notifications.sending.targets import Target, parse_target, resolve

SECRET_START = "whsec_"  # noqa: S105 - how one begins, not one itself
MOST_ANSWER_BYTES = 2000


class DeliveryFailed(Exception):
    """Delivery failed; `status` is the receiver's HTTP status, if it answered."""

    def __init__(self, words: str, status: int | None = None) -> None:
        super().__init__(words)
        self.status = status


def console_url() -> str:
    """Base URL of this console: PUBLIC_URL, else where it was started."""
    if settings.PUBLIC_URL:
        return str(settings.PUBLIC_URL).rstrip("/")
    try:
        return Path(settings.BASE_URL_FILE).read_text().strip()
    except FileNotFoundError:
        return str(settings.BASE_URL)


def link_of(notice: Notification) -> str:
    """Absolute URL of the notification's page."""
    url = notice.action_url
    return f"{console_url()}{url}" if url.startswith("/") else url


# -- E-mail --------------------------------------------------------------------


def send_email(notice: Notification, address: str) -> None:
    """Send a plain-text e-mail. Raises OSError or smtplib.SMTPException."""
    title = " ".join(notice.title.split())
    body = f"{notice.message}\n\n{link_of(notice)}\n\n--\n{_footer()}"
    headers = {"Message-ID": f"<{notice.pk}@lora-pipeline>", "Auto-Submitted": "yes"}
    EmailMessage(
        subject=f"[LoRA Pipeline] {title}", body=body, to=[address], headers=headers
    ).send()


def _footer() -> str:
    return f"Notification settings: {console_url()}/notifications/settings"


# -- Webhook -------------------------------------------------------------------


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
    connection = Pinned(target, resolve(target))
    limit = threading.Timer(settings.WEBHOOK_SECONDS, connection.abort)
    limit.start()
    try:
        connection.request("POST", target.path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read(MOST_ANSWER_BYTES)
    except http.client.HTTPException as error:
        raise DeliveryFailed(f"The response was not valid HTTP: {error!r}") from error
    finally:
        limit.cancel()
        connection.close()


class Pinned(http.client.HTTPConnection):
    """Connects to the address that was checked, but uses the original host name."""

    def __init__(self, target: Target, address: str) -> None:
        super().__init__(target.host, target.port, timeout=settings.WEBHOOK_SECONDS)
        self._target, self._address = target, address

    def connect(self) -> None:
        where = (self._address, self._target.port)
        self.sock = socket.create_connection(where, timeout=self.timeout)
        if self._target.secure:
            context = ssl.create_default_context()
            name = self._target.host
            self.sock = context.wrap_socket(self.sock, server_hostname=name)

    def abort(self) -> None:
        """Abort from another thread: a receiver cannot stall by trickling bytes."""
        with suppress(OSError, AttributeError):
            self.sock.shutdown(socket.SHUT_RDWR)
