"""Nobody holds all slots of a worker: half of them at most are one user's.

One whose receivers were slow lately has a single slot, so that many such users can
still not hold all of them.
"""

import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from django.conf import settings

DELIVERIES = "deliveries"
"""A queue with slots of its own, so that nothing else waits for a slow receiver."""
SLOW_SECONDS = 2.0
SLOW_FOR_SECONDS = 600.0

_guard = threading.Lock()
_held: Counter[UUID] = Counter()
_slow: dict[UUID, float] = {}
"""When a user's exchange last took long."""


def most_of(user_id: UUID) -> int:
    """Deliveries of a user that this worker has under way at a time."""
    if time.monotonic() - _slow.get(user_id, -SLOW_FOR_SECONDS) < SLOW_FOR_SECONDS:
        return 1
    _slow.pop(user_id, None)
    return max(int(settings.QUEUE_SLOTS[DELIVERIES]) // 2, 1)


@contextmanager
def slot_of(user_id: UUID) -> Iterator[bool]:
    """Whether the user may have one more slot, which is theirs inside the block."""
    began = time.monotonic()
    with _guard:
        has_room = _held[user_id] < most_of(user_id)
        _held[user_id] += has_room
    try:
        yield has_room
    finally:
        with _guard:
            if time.monotonic() - began > SLOW_SECONDS:
                _slow[user_id] = time.monotonic()
            _held[user_id] -= has_room
            if not _held[user_id]:
                del _held[user_id]
