"""Clients that send or read as slowly as they can, against a real web process."""

import socket
import time
import urllib.request
import uuid
from contextlib import ExitStack, suppress

import pytest

from tests.isolation.server import Server

SIGN_IN = "GET /sign-in HTTP/1.1\r\nHost: localhost\r\n"
SOON = 1.0


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    server = Server(tmp_path_factory.mktemp("var"))
    server.start()
    yield server
    server.stop()


def connect(server: Server, source: str = "127.0.0.1") -> socket.socket:
    """From one of the many addresses of this machine."""
    where = ("127.0.0.1", server.port)
    return socket.create_connection(where, timeout=30, source_address=(source, 0))


def seconds_for(server: Server, path: str, cookie: str = "", **headers: str) -> float:
    asked = urllib.request.Request(server.url + path, headers=headers)
    if cookie:
        asked.add_header("Cookie", cookie)
    started = time.monotonic()
    with urllib.request.urlopen(asked, timeout=30) as answer:
        answer.read()
        assert answer.status == 200
        assert "/sign-in" not in answer.url or path == "/sign-in"
    return time.monotonic() - started


SIGNED_IN = """
from importlib import import_module
from django.conf import settings
from django.contrib import auth
from lora_pipeline.models import User
user, _ = User.objects.get_or_create(username="ada")
store = import_module(settings.SESSION_ENGINE).SessionStore()
store[auth.SESSION_KEY] = str(user.pk)
store[auth.BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[-1]
store[auth.HASH_SESSION_KEY] = user.get_session_auth_hash()
store.save()
import json
print(json.dumps(f"{settings.SESSION_COOKIE_NAME}={store.session_key}"))
"""


@pytest.fixture(scope="module")
def cookie(server) -> str:
    cookie = server.shell(SIGNED_IN)
    seconds_for(server, "/", cookie)
    return cookie


def trickled(path: str, length: int) -> bytes:
    return (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {length}\r\n"
        "Content-Type: application/json\r\nAuthorization: Bearer unknown\r\n\r\n{"
    ).encode()


EVENTS = f"/api/runs/{uuid.uuid4()}/events"
ATTACKS = {
    "half a header": SIGN_IN.encode(),
    "no byte at all": b"",
    "a small body, trickled": trickled(EVENTS, 5000),
    "a large body, trickled": trickled(EVENTS, 1_000_000),
    "an upload, trickled": trickled("/api/datasets", 1_000_000),
    "a sign-in, trickled": (
        b"POST /sign-in HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000\r\n"
        b"Cookie: csrftoken=" + b"a" * 32 + b"\r\n"
        b"Content-Type: application/x-www-form-urlencoded\r\n\r\nusername="
    ),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_slow_clients_keep_nobody_waiting(attack, server, cookie):
    with ExitStack() as open_ones:
        peers = [open_ones.enter_context(connect(server)) for _ in range(100)]
        for peer in peers:
            peer.sendall(ATTACKS[attack])
        time.sleep(1)
        for _ in range(3):
            assert seconds_for(server, "/healthz") < SOON
            assert seconds_for(server, "/", cookie) < SOON
            for peer in peers:
                try:
                    peer.sendall(b"x")
                except OSError:
                    continue
            time.sleep(0.5)


def test_who_leaves_its_side_open_after_an_answer_keeps_nobody_waiting(server, cookie):
    """Closing in order means waiting for the peer: not in the main loop."""
    words = SIGN_IN.encode() + b"Connection: close\r\n\r\n"
    with ExitStack() as open_ones:
        for _ in range(20):
            open_ones.enter_context(connect(server)).sendall(words)
        time.sleep(0.5)
        assert seconds_for(server, "/healthz") < SOON
        assert seconds_for(server, "/", cookie) < SOON


def test_half_a_header_is_given_up_after_its_time(server):
    with connect(server) as peer:
        peer.sendall(SIGN_IN.encode())
        started = time.monotonic()
        answer = peer.recv(65536)
        assert 8 < time.monotonic() - started < 13
        assert answer.startswith(b"HTTP/1.1 408 ")
        assert b'"code": "too_slow"' in answer


def test_a_header_that_never_ends_is_refused(server):
    with connect(server) as peer:
        peer.sendall(SIGN_IN.encode() + b"X: " + b"x" * 70_000)
        assert peer.recv(65536).startswith(b"HTTP/1.1 431 ")


def test_an_answer_comes_through_although_the_body_was_not_read(server):
    """Closed with bytes unread, a connection takes the answer back on its way."""
    for _ in range(20):
        with connect(server) as peer:
            peer.sendall(trickled("/api/datasets", 1_000_000))
            peer.sendall(b"x" * 500_000)
            answer = b""
            while piece := peer.recv(65536):
                answer += piece
            assert answer.startswith(b"HTTP/1.1 401 ")
            assert answer.endswith(b"}")


def test_a_connection_is_used_again_and_again_also_for_requests_sent_ahead(server):
    with connect(server) as peer:
        ask = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
        for pieces in (
            [ask],
            [ask],
            [ask * 3],
            [ask[:20], ask[20:] + ask[:9], ask[9:]],
        ):
            for piece in pieces:
                peer.sendall(piece)
                time.sleep(0.05)
            expected = b"".join(pieces).count(b"\r\n\r\n")
            found = b""
            while found.count(b"ok\n") < expected:
                found += peer.recv(65536)
            time.sleep(0.1)


@pytest.fixture(scope="module")
def large(server) -> str:
    """The page of a file too large for the kernel's buffers, and public."""
    path = "/static/drf_spectacular_sidecar/swagger-ui-dist/swagger-ui-bundle.js"
    seconds_for(server, path)
    return path


@pytest.mark.parametrize("pace", [0, 3000])
def test_who_reads_slowly_from_many_addresses_keeps_nobody_waiting(
    pace, server, cookie, large
):
    """Each address is below its share, and faster than the least rate."""
    ask = f"GET {large} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
    with ExitStack() as open_ones:
        peers = []
        for number in range(60):
            peer = socket.socket()
            open_ones.enter_context(peer)
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.bind((f"127.0.1.{number + 1}", 0))
            peer.connect(("127.0.0.1", server.port))
            peer.sendall(ask * 20)
            peers.append(peer)
        time.sleep(1.5)
        for _ in range(4):
            assert seconds_for(server, "/healthz") < SOON
            assert seconds_for(server, "/", cookie) < SOON
            for peer in peers:
                _read_some(peer, pace)
            time.sleep(0.5)


def test_probes_whose_answers_nobody_reads_keep_no_other_probe_waiting(server):
    """They have two threads of their own, which no address has a share of."""
    ask = b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with ExitStack() as open_ones:
        for number in range(4):
            peer = socket.socket()
            open_ones.enter_context(peer)
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.bind((f"127.0.4.{number + 1}", 0))
            peer.connect(("127.0.0.1", server.port))
            peer.settimeout(3)
            with suppress(OSError):
                peer.sendall(ask * 60_000)
        assert seconds_for(server, "/healthz") < SOON


def _read_some(peer: socket.socket, size: int) -> None:
    peer.setblocking(False)
    with suppress(OSError):
        peer.recv(size)


def test_an_honest_download_survives_those_who_do_not_read(server, large):
    """It is not the slowest, however long it takes."""
    with ExitStack() as open_ones:
        honest = open_ones.enter_context(connect(server, "127.0.2.1"))
        honest.sendall(f"GET {large} HTTP/1.0\r\nHost: localhost\r\n\r\n".encode())
        for number in range(30):
            peer = socket.socket()
            open_ones.enter_context(peer)
            peer.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            peer.bind((f"127.0.3.{number + 1}", 0))
            peer.connect(("127.0.0.1", server.port))
            peer.sendall(
                f"GET {large} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode() * 20
            )
        found = 0
        while piece := honest.recv(100_000):
            found += len(piece)
            time.sleep(0.05)
        assert found > 1_000_000


def test_one_address_has_a_share_of_the_connections(server):
    with ExitStack() as open_ones:
        peers = [
            open_ones.enter_context(connect(server, "127.0.0.2")) for _ in range(300)
        ]
        time.sleep(1)
        closed = sum(_is_closed(peer) for peer in peers)
        assert closed == 50
        assert seconds_for(server, "/healthz") < SOON


def _is_closed(peer: socket.socket) -> bool:
    peer.setblocking(False)
    try:
        return peer.recv(1) == b""
    except BlockingIOError:
        return False
    except ConnectionResetError:
        return True
