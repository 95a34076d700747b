"""A client's socket that stops waiting for a peer who is too slow."""

import errno
import fcntl
import os
import select
import socket
import struct
import termios
import time
from collections.abc import Callable
from typing import Any, TypeVar

from lora_pipeline.processes.slow_peers import SlowPeers

GRACE_SECONDS = 10.0
# Of all its waits, after which a request counts as one that holds a thread.
SLOW_SECONDS = 0.1
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
    _is_slow = False

    def begin(self, slow_peers: SlowPeers) -> None:
        """A request begins: what was waited for the last one no longer counts."""
        self._moved, self._waited, self._is_slow = 0, 0.0, False
        self._slow_peers = slow_peers

    def end(self) -> None:
        """The request is answered: no thread waits for this peer any more."""
        if self._is_slow:
            self._slow_peers.leave(self)

    def bytes_per_second(self) -> float:
        """What the peer has taken or sent, without what our own kernel still holds."""
        try:
            held = fcntl.ioctl(self, termios.TIOCOUTQ, bytes(4))
        except (OSError, ValueError):
            return 0.0
        taken = self._moved - int(struct.unpack("i", held)[0])
        return taken / max(self._waited, SLOW_SECONDS)

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
            if not found:
                break
        return sent

    def _sending(self, piece: memoryview, flags: int) -> Callable[[], int]:
        return lambda: socket.socket.send(self, piece, flags)

    def _copying(self, file: Any, offset: int, count: int) -> Callable[[], int]:
        """One system call: what was sent before a timeout would be sent twice."""

        def copy() -> int:
            while True:
                try:
                    return os.sendfile(self.fileno(), file.fileno(), offset, count)
                except BlockingIOError:
                    self._wait_until_writable()

        return copy

    def _wait_until_writable(self) -> None:
        poll = select.poll()
        poll.register(self, select.POLLOUT)
        if not poll.poll((self.gettimeout() or 0) * 1000):
            raise TimeoutError

    def _paced(
        self, move: Callable[[], Found], size_of: Callable[[Found], int]
    ) -> Found:
        """Raises ConnectionResetError, which the server takes for a peer that left."""
        while True:
            left = GRACE_SECONDS + self._moved / LEAST_BYTES_PER_SECOND - self._waited
            if left <= 0:
                words = "the peer is slower than the least rate"
                raise ConnectionResetError(errno.ECONNRESET, words)
            self.settimeout(
                min(left, 2 * GRACE_SECONDS if self._is_slow else SLOW_SECONDS)
            )
            started = time.monotonic()
            try:
                found = move()
            except TimeoutError:
                found = None
            self._waited += time.monotonic() - started
            if self._waited > SLOW_SECONDS and not self._is_slow:
                self._is_slow = True
                self._slow_peers.enter(self)
            if found is not None:
                self._moved += size_of(found)
                return found
