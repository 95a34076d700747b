"""Gunicorn's worker, whose own refusals look like the console's.

Loaded before Django is, and so without anything of it.
"""

import json
import re
from typing import Any

from gunicorn.workers.gthread import ThreadWorker

STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ([^\r\n]*)")
WORDS = {
    414: "The address is too long: send at most 4,094 bytes in the request line.",
    431: "The headers are too large: send at most 100, of 8,190 bytes each.",
    500: "Something went wrong on our side, before the request could be read.",
}
UNREADABLE = "The request cannot be read: its first line or a header is malformed."


class Worker(ThreadWorker):  # type: ignore[misc]
    """Answers what never became a request in JSON, echoing nothing of it."""

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Any) -> None:
        """Gunicorn decides on the status, and writes through us."""
        super().handle_error(req, _InOurShape(client), addr, exc)


class _InOurShape:
    """A client's socket that turns gunicorn's HTML page into the error envelope."""

    def __init__(self, client: Any) -> None:
        self._client = client

    def __getattr__(self, name: str) -> Any:
        return getattr(self._client, name)

    def sendall(self, data: bytes) -> None:
        """One whole answer, as gunicorn writes it."""
        self._client.sendall(in_our_shape(data))


def in_our_shape(answer: bytes) -> bytes:
    """The same status with a JSON body; what is no such answer stays as it is."""
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
