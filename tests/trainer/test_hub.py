"""Fetching a base model, from a hub of our own on this machine."""

import hashlib
import json
import os
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tests.trainer.conftest import ROOT, TRAINER_PYTHON

pytestmark = pytest.mark.trainer
COMMIT = "a" * 40
FETCH = """
import sys
sys.path.insert(0, sys.argv[1])
import hub
hub.RESERVE_BYTES = int(sys.argv[2])
try:
    if sys.argv[3] == "resolve":
        print("COMMIT", hub.resolve("someone/tiny", None))
    revision = sys.argv[3] if len(sys.argv[3]) == 40 else None
    print("FOLDER", hub.fetch("someone/tiny", revision, print))
except OSError as error:
    print("ERROR", error.errno, error)
"""


@pytest.fixture
def hub(tiny_model):
    seen: list[str] = []
    main = {"commit": COMMIT, "gone": False}

    class Hub(BaseHTTPRequestHandler):
        def do_HEAD(self) -> None:
            self.answer(body=False)

        def do_GET(self) -> None:
            self.answer(body=True)

        def answer(self, *, body: bool) -> None:
            seen.append(self.headers.get("Authorization", ""))
            name = self.path.partition("?")[0].rpartition("/")[2]
            if self.path.startswith("/api/models/someone/tiny"):
                self.send(404 if main["gone"] else 200, self.info(), body)
            elif (tiny_model / name).is_file():
                self.send(200, (tiny_model / name).read_bytes(), body)
            else:
                self.send(404, b"{}", body)

        def info(self) -> bytes:
            files = [
                {"rfilename": p.name, "size": p.stat().st_size}
                for p in tiny_model.iterdir()
            ]
            found = {"id": "someone/tiny", "sha": self.commit(), "siblings": files}
            return json.dumps(found).encode()

        def commit(self) -> str:
            path = self.path.partition("?")[0]
            asked = [part for part in path.split("/") if len(part) == 40]
            return asked[0] if asked else main["commit"]

        def send(self, status: int, content: bytes, body: bool) -> None:
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.send_header("X-Repo-Commit", self.commit())
            self.send_header("ETag", f'"{hashlib.sha256(content).hexdigest()}"')
            self.end_headers()
            if body:
                self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}", seen, main
    server.shutdown()


def fetch(url, home, reserve=0, commit=None) -> str:
    trainer = str(ROOT / "training" / "trainer")
    environment = {**os.environ, "HF_ENDPOINT": url, "HF_HOME": str(home)}
    environment |= {"HF_TOKEN": "hf_secret", "HF_HUB_DISABLE_XET": "1"}
    revision = {None: "", "": "resolve"}.get(commit, commit)
    return subprocess.run(
        [TRAINER_PYTHON, "-I", "-c", FETCH, trainer, str(reserve), revision],
        env=environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout


def test_a_model_is_fetched_once_with_progress_and_token(hub, tmp_path):
    url, seen, _ = hub
    said = fetch(url, tmp_path)
    assert "downloaded 100% of the base model (model.safetensors)" in said
    assert "hf_secret" not in said
    assert "Bearer hf_secret" in seen
    folder = said.partition("FOLDER ")[2].strip()
    assert os.path.isfile(f"{folder}/config.json")
    assert f"FOLDER {folder}" in fetch("http://127.0.0.1:9", tmp_path)


def test_a_branch_that_moves_is_fetched_at_the_commit_it_once_was(hub, tmp_path):
    url, _, main = hub
    assert "COMMIT " + COMMIT in fetch(url, tmp_path, commit="")
    main["commit"] = "b" * 40
    assert f"snapshots/{COMMIT}\n" in fetch(url, tmp_path, commit=COMMIT)
    assert f"snapshots/{'b' * 40}\n" in fetch(url, tmp_path)
    main["gone"] = True
    assert f"snapshots/{COMMIT}\n" in fetch(url, tmp_path, commit=COMMIT)
    assert "ERROR" in fetch(url, tmp_path, commit="c" * 40)


def test_a_disk_too_small_is_said_before_anything_is_fetched(hub, tmp_path):
    said = fetch(hub[0], tmp_path, reserve=10**18)
    assert "ERROR 28" in said
    assert "the base model needs" in said


def test_an_unreachable_hub_is_an_error_with_words(tmp_path):
    assert fetch("http://127.0.0.1:9", tmp_path).startswith("ERROR None")
