"""An exchange with a stranger's machine that ends when its time is up.

A socket's own timeout begins anew with every byte, so that one who sends a byte at a
time holds a worker for hours. Here every wait, from the look-up of the name to the last
byte, takes from one account of seconds.
"""

import queue
import socket
import ssl
import threading
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

MOST_LOOKUPS = 32
_lookups = threading.BoundedSemaphore(MOST_LOOKUPS)


class Deadline:
    """So many seconds from now, for everything together."""

    def __init__(self, seconds: float) -> None:
        self.seconds = seconds
        self._ends = time.monotonic() + seconds

    def left(self) -> float:
        """Seconds that are left. Raises TimeoutError where none are."""
        if (left := self._ends - time.monotonic()) <= 0:
            raise TimeoutError(f"It took longer than {self.seconds:g} s.")
        return left


class _Bounded:
    """A socket of which every call waits for what is left, and no longer."""

    deadline: Deadline | None = None

    def _allow(self) -> None:
        if self.deadline is not None:
            self.settimeout(self.deadline.left())  # type: ignore[attr-defined]

    def recv(self, *args: Any) -> bytes:
        self._allow()
        return super().recv(*args)  # type: ignore[misc, no-any-return]

    def recv_into(self, *args: Any) -> int:
        self._allow()
        return super().recv_into(*args)  # type: ignore[misc, no-any-return]

    def send(self, *args: Any) -> int:
        self._allow()
        return super().send(*args)  # type: ignore[misc, no-any-return]

    def sendall(self, *args: Any) -> None:
        self._allow()
        super().sendall(*args)  # type: ignore[misc]


class BoundedSocket(_Bounded, socket.socket):
    """A TCP connection under a deadline."""


class BoundedTls(_Bounded, ssl.SSLSocket):
    """The same inside TLS."""


class TlsContext(ssl.SSLContext):
    """Certificates are checked as usual; the deadline goes on through the handshake."""

    sslsocket_class = BoundedTls

    def wrap_socket(self, sock: Any, *args: Any, **options: Any) -> Any:
        sock._allow()  # the handshake takes the timeout that the plain socket has
        wrapped: Any = super().wrap_socket(sock, *args, **options)
        wrapped.deadline = sock.deadline
        return wrapped


def tls_context() -> ssl.SSLContext:
    """As `ssl.create_default_context`, for the sockets of here."""
    context = TlsContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_default_certs()
    return context


def open_socket(
    addresses: Sequence[str], port: int, deadline: Deadline
) -> BoundedSocket:
    """Connected to the first address that answers. Raises OSError where none does."""
    failed: OSError = OSError("there is no address to connect to")
    for address in addresses:
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = BoundedSocket(family, socket.SOCK_STREAM)
        sock.deadline = deadline
        try:
            sock._allow()
            sock.connect((address, port))
        except OSError as error:
            sock.close()
            failed = error
        else:
            return sock
    raise failed


def look_up(host: str, port: int, deadline: Deadline) -> list[str]:
    """The addresses of a name. Raises OSError where it has none, or takes too long.

    The system's look-up cannot be ended, so it happens beside us and is left behind;
    only so many may be left behind at a time.
    """
    if not _lookups.acquire(blocking=False):
        raise OSError(f"{host} was not resolved: too many names are being looked up.")
    told: queue.SimpleQueue[list[str] | Exception] = queue.SimpleQueue()
    threading.Thread(target=_ask, args=(host, port, told), daemon=True).start()
    try:
        found = told.get(timeout=deadline.left())
    except queue.Empty:
        raise TimeoutError(f"{host} was not resolved in time.") from None
    if isinstance(found, Exception):
        raise OSError(f"{host} could not be resolved: {found}") from found
    return found


def _ask(host: str, port: int, told: "queue.SimpleQueue[Any]") -> None:
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        told.put(list(dict.fromkeys(str(entry[4][0]) for entry in found)))
    except (OSError, UnicodeError) as error:
        told.put(error)
    finally:
        with suppress(ValueError):
            _lookups.release()
