"""What the server itself refuses, in the shape of the console's own errors.

Loaded before Django is, and so without anything of it.
"""

import json
import re
from typing import Any

STATUS = re.compile(rb"HTTP/1\.1 (\d{3}) ([^\r\n]*)")
TOO_SLOW, TOO_LARGE, TOO_MANY = b"408 Request Timeout", b"431 Headers", b"429 Too Many"
WORDS = {
    408: "Too slow: send the header within 10 s and the body at 1,024 bytes/s or more.",
    414: "The URL is too long: the request line may have at most 4,094 bytes.",
    429: "Too many requests at once from your address: try again in a second.",
    431: "The headers are too large: at most 100 headers of 8,190 bytes each.",
    500: "Internal server error before the request could be read.",
}
CODES = {408: "too_slow", 429: "throttled"}
UNREADABLE = "The request cannot be read: its first line or a header is malformed."


class InOurShape:
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
    status = int(found[1])
    words = WORDS.get(status, UNREADABLE)
    code = CODES.get(status, "unreadable")
    body = json.dumps({"error": words, "code": code, "details": None}).encode()
    head = (
        "Connection: close\r\nContent-Type: application/json\r\n"
        f"X-Content-Type-Options: nosniff\r\nContent-Length: {len(body)}\r\n"
    )
    if status == 429:
        head += "Retry-After: 1\r\n"
    return found[0] + b"\r\n" + head.encode() + b"\r\n" + body


def refusal(status_line: bytes) -> bytes:
    """A whole answer of one of the kinds above."""
    return in_our_shape(b"HTTP/1.1 " + status_line + b"\r\n\r\n")
