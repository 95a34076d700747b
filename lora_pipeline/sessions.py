"""Sessions in the database, asked only for keys that it can hold."""

from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseSessions


class SessionStore(DatabaseSessions):
    """A cookie that no session key can be, such as one with NUL, is no session."""

    def _validate_session_key(self, key: Any) -> bool:
        usable = isinstance(key, str) and key.isascii() and key.isalnum()
        return usable and bool(super()._validate_session_key(key))  # type: ignore[misc]
