"""Connections that the server has ended and whose clients still read the answer."""

import selectors
import socket
import time
from collections.abc import Callable

from lora_pipeline.processes.paced_socket import PacedSocket

LINGER_SECONDS = 2.0
MOST_LINGERING = 256
READ_BYTES = 64 * 1024


class Lingering:
    """Closes sockets in the worker's main loop, without waiting for any of them.

    A socket closed with bytes unread takes the answer back on its way.
    """

    def __init__(self, poller: Callable[[], selectors.BaseSelector]) -> None:
        self._poller = poller
        self._until: dict[int, tuple[PacedSocket, float]] = {}

    def begin(self, sock: PacedSocket) -> None:
        """Say that no more comes from here, and wait a little for the peer to close."""
        try:
            sock.shutdown(socket.SHUT_WR)
            sock.setblocking(False)
            if len(self._until) >= MOST_LINGERING:
                raise OSError
            self._poller().register(
                sock, selectors.EVENT_READ, lambda _: self._on_readable(sock)
            )
        except (OSError, RuntimeError, ValueError, KeyError):
            sock.close()
            return
        self._until[sock.fileno()] = sock, time.monotonic() + LINGER_SECONDS

    def end_late(self, now: float) -> None:
        """Close those whose peers take too long."""
        for sock, until in list(self._until.values()):
            if now > until:
                self._end(sock)

    def _on_readable(self, sock: PacedSocket) -> None:
        """Throw away what still comes, until the peer closes too."""
        try:
            if sock.recv(READ_BYTES):
                return
        except BlockingIOError:
            return
        except OSError:
            pass
        self._end(sock)

    def _end(self, sock: PacedSocket) -> None:
        del self._until[sock.fileno()]
        self._poller().unregister(sock)
        sock.close()
