"""Gunicorn's threaded worker, made safe to stand before strangers.

A thread is taken only by a request whose header, and body if it is small, has come: who
sends slowly waits in the main loop, which gives up on it in time. One client's address
holds a share of the threads and connections at most; what is above waits its turn.
Loaded before Django, so it uses nothing from it.
"""

import re
import selectors
import time
from collections import Counter, defaultdict, deque
from collections.abc import Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from gunicorn.http.body import LengthReader
from gunicorn.workers.gthread import TConn, ThreadWorker

from lora_pipeline.processes.arrivals import Arrival, Network, client_of, is_among
from lora_pipeline.processes.lingering import Lingering
from lora_pipeline.processes.paced_socket import PacedSocket
from lora_pipeline.processes.refused_requests import (
    TOO_LARGE,
    TOO_MANY,
    TOO_SLOW,
    InOurShape,
    refusal,
)
from lora_pipeline.processes.slow_peers import SlowPeers

SHARE = 2  # one address, or all slow peers, hold every second thread at most
CONNECTIONS_SHARE = 4
MOST_WAITING = 100
READ_BYTES = 64 * 1024
SWEEP_SECONDS = 0.5
PROBE_THREADS = 2


class Connection(TConn):  # type: ignore[misc]
    """A client's connection with the request that is coming on it."""

    def __init__(self, worker: "Worker", sock: Any, peer: Any, server: Any) -> None:
        super().__init__(worker.cfg, sock, peer, server)
        self.arrival = Arrival()
        self.peer = str(peer[0]) if peer else ""
        self.address = self.peer
        self.is_probe = False
        self._worker = worker

    def hand_over(self) -> None:
        """Give a thread's parser what the main loop gathered."""
        worker = self._worker
        self.sock.begin(worker.slow_probes if self.is_probe else worker.slow_peers)
        self.parser.unreader.unread(bytes(self.arrival.data))
        self.arrival = Arrival()

    def has_unread_body(self) -> bool:
        """Whether bytes of the answered request are yet to come from the client."""
        reader = self.parser.mesg.body.reader
        if not isinstance(reader, LengthReader):
            return True
        return bool(reader.length > len(self.parser.unreader.buf.getvalue()))

    def close(self, graceful: bool = False) -> None:
        """Never waits: the main loop is who closes."""
        self._worker.forget(self)
        if graceful:
            self._worker.lingering.begin(self.sock)
        else:
            super().close()


class Worker(ThreadWorker):  # type: ignore[misc]
    """Returns a JSON error for unparsable requests, without echoing them."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.threads_each = max(self.cfg.threads // SHARE, 1)
        self.slow_peers = SlowPeers(self.threads_each)
        self.slow_probes = SlowPeers(PROBE_THREADS // SHARE)
        self.connections_each = max(self.cfg.worker_connections // CONNECTIONS_SHARE, 1)
        self.proxies = 0
        self.proxy_addresses: Sequence[Network] = ()
        self.arriving: dict[int, Connection] = {}
        self.lingering = Lingering(lambda: self.poller)
        self.held: Counter[str] = Counter()
        self.busy: Counter[str] = Counter()
        self.waiting: dict[str, deque[Connection]] = defaultdict(deque)
        self.swept = 0.0
        self.probes = re.compile(rb"(GET|HEAD) /(healthz|readyz)[ ?]")
        self.probing = ThreadPoolExecutor(PROBE_THREADS, "probe")

    def load_wsgi(self) -> None:
        """The application, and with it how many proxies are before us."""
        super().load_wsgi()
        from django.conf import settings  # noqa: PLC0415 - set up by the application

        below = re.escape(settings.SUB_PATH.encode())
        self.probes = re.compile(rb"(GET|HEAD) (%b)?/(healthz|readyz)[ ?]" % below)
        self.proxies = settings.TRUSTED_PROXIES
        self.proxy_addresses = settings.PROXY_ADDRESSES

    def handle_error(self, req: Any, client: Any, addr: Any, exc: Any) -> None:
        """Gunicorn picks the status and writes through this wrapper."""
        super().handle_error(req, InOurShape(client), addr, exc)

    def accept(self, listener: Any) -> None:
        """Take a new connection, unless its peer has its share of them."""
        try:
            plain, peer = listener.accept()
        except OSError:  # taken by another worker, given up, or no file is left for it
            return
        sock = PacedSocket(fileno=plain.detach())
        conn = Connection(self, sock, peer, listener.getsockname())
        is_proxy = self.proxies > 0 and is_among(conn.peer, self.proxy_addresses)
        if self.held[conn.peer] >= self.connections_each and not is_proxy:
            sock.close()
            return
        self.nr_conns += 1
        self.held[conn.peer] += 1
        self.await_request(conn)

    def forget(self, conn: Connection) -> None:
        """A connection ends: its peer may open another."""
        self.held[conn.peer] -= 1
        if not self.held[conn.peer]:
            del self.held[conn.peer]

    def await_request(self, conn: Connection) -> None:
        """Gather the next request; most have come whole by now."""
        conn.sock.setblocking(False)
        self.arriving[conn.sock.fileno()] = conn
        self.poller.register(
            conn.sock, selectors.EVENT_READ, lambda _: self.on_readable(conn)
        )
        self.on_readable(conn)

    def on_readable(self, conn: Connection) -> None:
        """Read what has come, and go on when it is enough."""
        try:
            piece = conn.sock.recv(READ_BYTES)
        except BlockingIOError:
            return
        except OSError:
            piece = b""
        if not piece:
            self.leave(conn)
            self.drop(conn)
            return
        conn.arrival.add(piece)
        if conn.arrival.is_complete:
            self.leave(conn)
            is_proxy = is_among(conn.peer, self.proxy_addresses)
            header = conn.arrival.header
            conn.address = client_of(header, conn.peer, self.proxies, is_proxy=is_proxy)
            self.enqueue_req(conn)
        elif conn.arrival.is_too_large:
            self.refuse(conn, TOO_LARGE)

    def on_client_socket_readable(self, conn: Connection, client: Any) -> None:
        """A kept-alive connection has its next request, or was closed."""
        self.poller.unregister(client)
        self.keepalived_conns.remove(conn)
        conn.arrival = Arrival()
        self.await_request(conn)

    def leave(self, conn: Connection) -> None:
        """The main loop no longer reads from it."""
        if self.arriving.pop(conn.sock.fileno(), None) is not None:
            self.poller.unregister(conn.sock)

    def drop(self, conn: Connection, *, graceful: bool = False) -> None:
        """End a connection."""
        self.nr_conns -= 1
        conn.close(graceful=graceful)

    def refuse(self, conn: Connection, status: bytes) -> None:
        """Say why, as far as the socket takes it at once, and end it."""
        self.leave(conn)
        conn.sock.setblocking(False)
        try:
            conn.sock.send(refusal(status))
        except OSError:
            self.drop(conn)
        else:
            self.drop(conn, graceful=True)

    def murder_pending(self) -> None:
        """Give up on requests and farewells that take too long."""
        now = time.monotonic()
        if now < self.swept + SWEEP_SECONDS:
            return
        self.swept = now
        for conn in list(self.arriving.values()):
            is_late = now > conn.arrival.deadline
            if conn.arrival.data and is_late:
                self.refuse(conn, TOO_SLOW)
            elif not conn.arrival.data and (is_late or not self.alive):
                self.leave(conn)
                self.drop(conn)
        self.lingering.end_late(now)

    def enqueue_req(self, conn: Connection) -> None:
        """A thread, once the client's address holds less than its share of them.

        Probes have threads of their own: they say that all others are stuck.
        """
        conn.is_probe = self.probes.match(conn.arrival.header) is not None
        if conn.is_probe:
            answer = self.probing.submit(self.handle, conn)
            answer.add_done_callback(
                lambda done: self.method_queue.defer(self.finish_request, conn, done)
            )
        elif self.busy[conn.address] < self.threads_each:
            self.busy[conn.address] += 1
            super().enqueue_req(conn)
        elif len(self.waiting[conn.address]) < max(MOST_WAITING, self.connections_each):
            self.waiting[conn.address].append(conn)
        else:
            self.refuse(conn, TOO_MANY)

    def handle(self, conn: Connection) -> Any:
        """In a thread: all that it has to wait for is there."""
        conn.data_ready = True
        conn.sock.setblocking(True)
        conn.init()
        conn.hand_over()
        return super().handle(conn)

    def _keepalive_after(self, conn: Connection, keepalive: bool) -> bool:
        """A refused body is not waited for: its connection is closed instead."""
        if not keepalive or conn.has_unread_body():
            return False
        return bool(super()._keepalive_after(conn, keepalive))

    def finish_request(self, conn: Connection, fs: "Future[Any]") -> None:
        """The thread is free for the next of that address; the client may ask on."""
        conn.sock.end()
        if not conn.is_probe:
            self.let_next(conn.address)
        try:
            is_kept = fs.result()
        except Exception:
            is_kept = False
        if not is_kept:
            self.drop(conn, graceful=True)
            return
        if ahead := conn.parser.unreader.take_buffered():
            conn.arrival = Arrival()
            conn.arrival.add(ahead)
            self.go_on(conn)
            return
        super().finish_request(conn, fs)

    def go_on(self, conn: Connection) -> None:
        """The next request came along with the last one, whole or in part."""
        if conn.arrival.is_complete:
            self.enqueue_req(conn)
        else:
            self.await_request(conn)

    def let_next(self, address: str) -> None:
        """One request less of an address: the next that waits goes on."""
        self.busy[address] -= 1
        if not self.busy[address]:
            del self.busy[address]
        waiting = self.waiting.get(address)
        if waiting:
            self.enqueue_req(waiting.popleft())
        elif waiting is not None:
            del self.waiting[address]
