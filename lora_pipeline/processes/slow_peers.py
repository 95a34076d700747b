"""The requests whose thread waits for their client, never more than some of all."""

import contextlib
import socket
import threading
from typing import Protocol


class Waiting(Protocol):
    """A socket on which a thread waits."""

    def bytes_per_second(self) -> float:
        """How fast the peer takes or sends, over what was waited for it."""

    def shutdown(self, how: int, /) -> None:
        """End both directions; the thread that waits finds out at once."""


class SlowPeers:
    """Keeps threads free: where too many wait for their peers, the slowest is dropped.

    The least rate alone would not do: clients from many addresses that read a large
    file at just that rate, or fill the kernel's buffers and stop, take all threads for
    as long as the file lasts.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._sockets: set[Waiting] = set()
        self._lock = threading.Lock()

    def enter(self, sock: Waiting) -> None:
        """Its thread has waited for a while; one too many ends the slowest."""
        with self._lock:
            self._sockets.add(sock)
            if len(self._sockets) <= self._most:
                return
            slowest = min(self._sockets, key=lambda one: one.bytes_per_second())
            self._sockets.discard(slowest)
        with contextlib.suppress(OSError):
            slowest.shutdown(socket.SHUT_RDWR)

    def leave(self, sock: Waiting) -> None:
        """Its request is answered, or given up."""
        with self._lock:
            self._sockets.discard(sock)
