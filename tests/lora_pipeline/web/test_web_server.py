"""What gunicorn and the first middleware refuse, over real sockets."""

import json
import os
import socket
import subprocess
import sys
import time

import pytest

from tests.trainer.conftest import MANAGE, ROOT

GET = b"GET /sign-in HTTP/1.1\r\nHost: localhost\r\n"
MARK = b"Saint-Elmo"


@pytest.fixture(scope="module")
def port(tmp_path_factory):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        found = probe.getsockname()[1]
    environment = os.environ | {
        "LORA_PIPELINE_VAR": str(tmp_path_factory.mktemp("var")),
    }
    log = tmp_path_factory.mktemp("log") / "web.log"
    with log.open("wb") as output:
        server = subprocess.Popen(
            [sys.executable, MANAGE, "web", "--port", str(found)],
            env=environment, cwd=ROOT, stdout=output, stderr=output,
        )  # fmt: skip
    for _ in range(600):
        try:
            socket.create_connection(("127.0.0.1", found)).close()
            break
        except OSError:
            time.sleep(0.1)
    yield found
    server.terminate()
    server.wait(20)
    assert MARK not in log.read_bytes()


def send(port: int, words: bytes) -> tuple[int, dict[str, str], bytes]:
    with socket.create_connection(("127.0.0.1", port), timeout=20) as peer:
        peer.sendall(words)
        answer = b""
        while b"\r\n\r\n" not in answer and (piece := peer.recv(65536)):
            answer += piece
        head, _, body = answer.partition(b"\r\n\r\n")
        lines = head.decode().split("\r\n")
        headers = {k.lower(): v for k, v in (x.split(": ", 1) for x in lines[1:])}
        # Without a length it comes in chunks, of which an empty one is the last.
        while not _is_whole(body, headers) and (piece := peer.recv(65536)):
            body += piece
    return int(lines[0].split()[1]), headers, body


def _is_whole(body: bytes, headers: dict[str, str]) -> bool:
    length = headers.get("content-length")
    return body.endswith(b"0\r\n\r\n") if length is None else len(body) >= int(length)


@pytest.mark.parametrize(
    ("words", "status", "says"),
    [
        (b"GET /" + MARK + b"a" * 5000 + b" HTTP/1.1\r\n\r\n", 414, "too long"),
        (GET + b"X: " + MARK + b"x" * 9000 + b"\r\n\r\n", 431, "headers"),
        (GET + b"X: y\r\n" * 200 + b"\r\n", 431, "headers"),
        (GET + b"Na me: " + MARK + b"\r\n\r\n", 400, "malformed"),
        (MARK + b" <b>{}\r\n\r\n", 400, "malformed"),
        (b"GET / HTTP/7.0\r\n\r\n", 400, "malformed"),
        (GET + b"Content-Length: -1\r\n\r\n", 400, "malformed"),
        (GET + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400, "malformed"),
        (GET + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400,
         "malformed"),
    ],
)  # fmt: skip
def test_what_is_no_request_is_refused_in_json_without_an_echo(
    port, words, status, says
):
    found, headers, body = send(port, words)
    assert found == status
    assert headers["content-type"] == "application/json"
    assert headers["x-content-type-options"] == "nosniff"
    assert says in json.loads(body)["error"]
    assert MARK not in body


POSTS = ["/api/datasets", "/api/jobs", "/api/runs/x/artifact", "/datasets/upload",
         "/sign-in", "/admin/"]  # fmt: skip


@pytest.mark.parametrize("path", POSTS)
def test_a_body_in_chunks_of_any_number_is_refused_before_it_is_read(port, path):
    words = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n"
    status, headers, body = send(port, words.encode() + b"\r\n5\r\nhello\r\n")
    assert status == 411
    assert b"Content-Length" in body
    assert "x-request-id" in headers


@pytest.mark.parametrize("path", POSTS)
def test_a_body_too_large_is_refused_by_its_length_alone(port, path):
    words = (
        f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Length: {10**12}\r\n\r\n"
    )
    status, headers, body = send(port, words.encode())
    assert status == 413
    assert b"larger than" in body
    assert "content-security-policy" in headers
