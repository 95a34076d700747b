"""Gunicorn worker whose own error responses use the console's envelope.

Loaded before Django, so it uses nothing from it.
"""

import json
import re
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ([^\r\n]*)")
WORDS = {
    414: "The URL is too long: the request line may have at most 4,094 bytes.",
    431: "The headers are too large: at most 100 headers of 8,190 bytes each.",
    500: "Internal server error before the request could be read.",
}
UNREADABLE = "The request cannot be read: its first line or a header is malformed."


class Worker(ThreadWorker):  # type: ignore[misc]
    """Returns a JSON error for unparsable requests, without echoing them."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Any) -> None:
        """Gunicorn picks the status and writes through this wrapper."""
        super().handle_error(req, _InOurShape(client), addr, exc)


class _InOurShape:
    """A client socket that turns gunicorn's HTML error into the JSON envelope."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def sendall(self, data: bytes) -> None:
        """Write one complete response from gunicorn."""
        self._client.sendall(in_our_shape(data))


def in_our_shape(answer: bytes) -> bytes:
    """The same status with a JSON body; anything else is unchanged."""
    if (found := STATUS.match(answer)) is None:
        return answer
    words = WORDS.get(int(found[1]), UNREADABLE)
    envelope = {"error": words, "code": "unreadable", "details": None}
    body = json.dumps(envelope).encode()
    head = (
        "Connection: close\r\nContent-Type: application/json\r\n"
        f"X-Content-Type-Options: nosniff\r\nContent-Length: {len(body)}\r\n\r\n"
    )
    return found[0] + b"\r\n" + head.encode() + body
