"""How long a web request waits for the database: a frozen server must not hold threads.

A server that was stopped or swapped out, or whose network is gone, still has an open
connection: no time-out of the server or of TCP ends a wait for its answer.
"""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import psycopg
from django.conf import settings
from psycopg.abc import RV, PQGen

SHORTEST_CONNECT_SECONDS = 2  # of libpq
SHORTEST_WAIT_SECONDS = 0.05


class _Deadline(threading.local):
    """Until when this thread waits at most, on the monotonic clock."""

    at: float | None = None

    def left(self) -> float | None:
        return None if self.at is None else self.at - time.monotonic()


_deadline = _Deadline()


class NoAnswer(psycopg.OperationalError):
    """The database did not answer in time. The connection is closed: what it was asked
    for may still be done, and its answer must not be read as that of the next query.
    """


@contextmanager
def answers_within(seconds: float) -> Iterator[None]:
    """All that is asked inside the block has these seconds together."""
    _deadline.at = time.monotonic() + seconds
    try:
        yield
    finally:
        _deadline.at = None


class Connection(psycopg.Connection[Any]):
    """A connection that gives up: after DATABASE_SECONDS, or when the block ends."""

    @classmethod
    def connect(cls, conninfo: str = "", **given: Any) -> Any:
        """As psycopg does, but no longer than is left. Raises NoAnswer."""
        if (left := _deadline.left()) is not None:
            if left < SHORTEST_WAIT_SECONDS:
                raise NoAnswer("the database did not answer in time")
            given["connect_timeout"] = SHORTEST_CONNECT_SECONDS
        return super().connect(conninfo, **given)

    def wait(
        self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None
    ) -> RV:
        """Raises NoAnswer. Who passes a timeout, as for notices, has their own."""
        if timeout is not None or (most := _most_seconds()) is None:
            return super().wait(gen, interval, timeout)
        try:
            return super().wait(gen, interval, most)
        except psycopg.errors._WaitTimeout:
            self.close()
            raise NoAnswer(f"the database did not answer within {most:.1f} s") from None


def _most_seconds() -> float | None:
    """What one wait may take: None for as long as it takes."""
    if (left := _deadline.left()) is not None:
        return max(left, SHORTEST_WAIT_SECONDS)
    return settings.DATABASE_SECONDS or None


DRIVER: Any = SimpleNamespace(**{**vars(psycopg), "connect": Connection.connect})
"""psycopg, but for who connects: what Django's wrapper calls `Database`."""
