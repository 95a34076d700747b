"""Who asks: a browser's session, an API key, a run token, or nobody."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.client import BOUNDARY, MULTIPART_CONTENT, encode_multipart

from lora_pipeline.models import User
from lora_pipeline.postgres import row_security
from tests.isolation.routes import Ask

# What differs from one answer to the next, whatever is asked.
CHANGING = (
    re.compile(rb'name="csrfmiddlewaretoken" value="[^"]+"'),
    re.compile(rb"X-CSRFToken[^A-Za-z0-9]+[A-Za-z0-9]{32,64}"),
    re.compile(rb"nonce[-=][\"']?[A-Za-z0-9_/+=-]+"),
    re.compile(rb'"request_id": ?"[^"]+"'),
)
CHANGING_HEADERS = {"Set-Cookie", "X-Request-ID", "X-Request-Id", "Date"}


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back, without what changes by itself."""

    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes

    def everything(self) -> bytes:
        return self.body + repr(self.headers).encode()


class Caller:
    """Sends requests as one user, by session, by a token, or as nobody."""

    def __init__(self, user: User | None = None, token: str = "") -> None:
        self.user, self.token = user, token
        self.client = Client(raise_request_exception=False)

    def send(self, ask: Ask) -> Answer:
        """The answer, with streamed parts read to their end."""
        cache.clear()  # nobody is to be told that they ask too much
        cookie = self.client.cookies.get(settings.SESSION_COOKIE_NAME)
        if self.user is not None and not (cookie and cookie.value):
            with row_security.operator():
                self.client.force_login(self.user)
        headers = dict(ask.headers)
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        got = self.client.generic(
            ask.method, ask.path, headers=headers, **self._content(ask)
        )
        body = b"".join(got.streaming_content) if got.streaming else got.content
        return Answer(got.status_code, _headers(got), _plain(body))

    def _content(self, ask: Ask) -> dict[str, Any]:
        if ask.method in {"GET", "HEAD", "OPTIONS"}:
            return {}
        if ask.is_api:
            data = self.client._encode_json(ask.body, "application/json")
            return {"data": data, "content_type": "application/json"}
        data = encode_multipart(BOUNDARY, ask.body)
        return {"data": data, "content_type": MULTIPART_CONTENT}


def _headers(got: Any) -> tuple[tuple[str, str], ...]:
    kept = ((n, v) for n, v in got.headers.items() if n not in CHANGING_HEADERS)
    cookies = (("Set-Cookie", name) for name in sorted(got.cookies))
    plain = [(n, _plain(v.encode()).decode()) for n, v in (*kept, *cookies)]
    return tuple(sorted(plain))


def _plain(text: bytes) -> bytes:
    for pattern in CHANGING:
        text = pattern.sub(b"", text)
    return text


@contextmanager
def as_the_web_process() -> Iterator[None]:
    """Between requests the connection is what it is in production: nobody's."""
    options = connection.settings_dict["OPTIONS"]
    before = options["assume_role"]
    options["assume_role"] = "lp_web"
    row_security.reset()
    try:
        yield
    finally:
        options["assume_role"] = before
        row_security.reset()
