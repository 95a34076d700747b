"""A client's socket that stops waiting for a peer who is too slow."""

import errno
import socket
import time
from collections.abc import Callable
from typing import Any, TypeVar

GRACE_SECONDS = 10.0
LEAST_BYTES_PER_SECOND = 1024
PIECE_BYTES = 64 * 1024
Found = TypeVar("Found")


class PacedSocket(socket.socket):
    """Blocking reads and writes end when the peer falls behind the least rate.

    Counted is the time spent waiting for the peer, not what the console takes to think:
    all waits of a request may add up to the grace and the time that its bytes take at
    the least rate. A plain timeout would not do: a byte every few seconds keeps it off.
    """

    _moved = 0
    _waited = 0.0

    def begin(self) -> None:
        """A request begins: what was waited for the last one no longer counts."""
        self._moved, self._waited = 0, 0.0

    def recv(self, size: int, flags: int = 0) -> bytes:
        if self.gettimeout() == 0:
            return super().recv(size, flags)
        return self._paced(lambda: socket.socket.recv(self, size, flags), len)

    def sendall(self, data: Any, flags: int = 0) -> None:
        left = memoryview(data).cast("B")
        while left:
            piece = left[:PIECE_BYTES]
            left = left[self._paced(self._sending(piece, flags), int) :]

    def sendfile(self, file: Any, offset: int = 0, count: int | None = None) -> int:
        sent = 0
        while count is None or sent < count:
            want = PIECE_BYTES if count is None else min(PIECE_BYTES, count - sent)
            found = self._paced(self._copying(file, offset + sent, want), int)
            sent += found
            if found < want:
                break
        return sent

    def _sending(self, piece: memoryview, flags: int) -> Callable[[], int]:
        return lambda: socket.socket.send(self, piece, flags)

    def _copying(self, file: Any, offset: int, count: int) -> Callable[[], int]:
        return lambda: socket.socket.sendfile(self, file, offset, count)

    def _paced(
        self, move: Callable[[], Found], size_of: Callable[[Found], int]
    ) -> Found:
        """Raises ConnectionResetError, which the server takes for a peer that left."""
        left = GRACE_SECONDS + self._moved / LEAST_BYTES_PER_SECOND - self._waited
        self.settimeout(max(min(left, 2 * GRACE_SECONDS), 0.001))
        started = time.monotonic()
        try:
            found = move()
        except TimeoutError:
            words = "the peer is slower than the least rate"
            raise ConnectionResetError(errno.ECONNRESET, words) from None
        finally:
            self._waited += time.monotonic() - started
        self._moved += size_of(found)
        return found
