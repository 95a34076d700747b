"""One id for everything logged and returned for a request."""

import re
import uuid
from contextvars import ContextVar

NONE = "-"
SANE = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{7,63}", re.ASCII)
_current: ContextVar[str] = ContextVar("request_id", default=NONE)


def current_request_id() -> str:
    """The id of the current request, or `-` outside of one."""
    return _current.get()


def begin(given: str) -> str:
    """Accept an id from a proxy if it is 8 to 64 safe characters."""
    request_id = given if SANE.fullmatch(given) else uuid.uuid4().hex
    _current.set(request_id)
    return request_id


def end() -> None:
    """Clear the id: later log lines belong to no request."""
    _current.set(NONE)
