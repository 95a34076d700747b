"""The one rule for everything that unpacks: bytes are counted as they come out.

What a file says of its own size is not believed. A few hundred bytes can stand for
gigabytes, so beyond a free beginning the ratio is bounded: text packs 5 to 50 times,
and only what repeats itself without end packs 200 times.
"""

import io
from collections.abc import Callable
from typing import IO, Any

FREE_BYTES = 10 * 1024**2
MOST_RATIO = 200


class UnpacksTooLarge(ValueError):
    """More came out than may; the message says how much that is."""


class Gauge:
    """Counts what comes out of a container; `packed`: its bytes, or those read yet."""

    def __init__(self, *, most_bytes: int, packed: int | Callable[[], int]) -> None:
        self._most = most_bytes
        self._packed = packed
        self.given = 0

    def add(self, count: int) -> None:
        """Raises UnpacksTooLarge at the limit of the kind, and at the ratio."""
        self.given += count
        if self.given > self._most:
            raise UnpacksTooLarge(f"more than {self._most:,} bytes")
        if self.given > FREE_BYTES:
            packed = self._packed if isinstance(self._packed, int) else self._packed()
            if self.given - FREE_BYTES > MOST_RATIO * packed:
                words = f"more than {MOST_RATIO} times its {packed:,} bytes"
                raise UnpacksTooLarge(words)


class Gauged(io.RawIOBase):
    """A stream of unpacked bytes that ends with UnpacksTooLarge."""

    def __init__(self, unpacked: IO[bytes], gauge: Gauge) -> None:
        self._unpacked = unpacked
        self._gauge = gauge

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        found = self._unpacked.read(len(buffer))
        self._gauge.add(len(found))
        buffer[: len(found)] = found
        return len(found)
