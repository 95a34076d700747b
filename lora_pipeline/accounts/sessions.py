"""Sessions in the database, which know whose they are and where they were last used.

The cookie holds a session's key, the table its SHA-256: `session_key` is the key of a
store and the hash of a row.
"""

from datetime import timedelta
from typing import Any, cast

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest
from django.utils import timezone

from lora_pipeline.models import BrowserSession
from lora_pipeline.tokens import hash_secret
from lora_pipeline.web.addresses import client_address

USE_NOTED_EVERY = timedelta(minutes=1)
LONGEST_USER_AGENT = 300


class SessionStore(DatabaseSessions):
    """Treats a cookie that cannot be a session key, such as one with NUL, as none."""

    place: dict[str, Any] | None = None

    @classmethod
    def get_model_class(cls) -> type[BrowserSession]:
        return BrowserSession

    def create_model_instance(self, data: dict[str, Any]) -> BrowserSession:
        """The session row, with its user, address and user agent."""
        row = cast(BrowserSession, super().create_model_instance(data))
        row.session_key = hash_secret(row.session_key)
        row.user_id = data.get("_auth_user_id")
        for name, value in (self.place or {}).items():
            setattr(row, name, value)
        return row

    def exists(self, session_key: str) -> bool:
        """Whether there is a session with this key."""
        return bool(super().exists(hash_secret(session_key)))

    def delete(self, session_key: str | None = None) -> None:
        """End the session with this key, or this store's."""
        if key := session_key or self.session_key:
            super().delete(hash_secret(key))

    def _get_session_from_db(self) -> BrowserSession | None:
        """The row of this store's key; a key without one is forgotten."""
        current = BrowserSession.objects.filter(expire_date__gt=timezone.now())
        row = current.filter(session_key=hash_secret(self.session_key or "")).first()
        if row is None:
            self._session_key = None
        elif self.place is not None:
            self._note_use(row, self.place)
        return row

    def _note_use(self, row: BrowserSession, place: dict[str, Any]) -> None:
        """At most once a minute, so that few requests write."""
        now = timezone.now()
        if now - row.last_seen_at > USE_NOTED_EVERY:
            own = BrowserSession.objects.filter(pk=row.pk)
            own.update(last_seen_at=now, **place)

    def _validate_session_key(self, key: Any) -> bool:
        usable = isinstance(key, str) and key.isascii() and key.isalnum()
        return usable and bool(super()._validate_session_key(key))  # type: ignore[misc]


class Sessions(SessionMiddleware):
    """Django's session middleware, plus the request's address and user agent."""

    def process_request(self, request: HttpRequest) -> None:
        super().process_request(request)
        request.session.place = {  # type: ignore[attr-defined]
            "address": client_address(request),
            "user_agent": request.headers.get("User-Agent", "")[:LONGEST_USER_AGENT],
        }
