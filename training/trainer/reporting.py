"""Communication with the console: numbered events, resent until acknowledged."""

import contextlib
import errno
import http.client
import json
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from measures import Measures

FINAL_ANSWERS = frozenset({401, 403, 404, 409, 410})
HEARTBEAT_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 10.0
MOST_EVENTS = 500
CHUNK_BYTES = 1024 * 1024
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def say(text: str, stream: IO[str] | None = None) -> None:
    """Print, ignoring a full disk: that must not end the run or hide the reason."""
    with contextlib.suppress(OSError):
        print(text, file=stream, flush=True)


class Refused(Exception):
    """The console rejects this attempt: it has ended or was superseded."""

    def __init__(self, status: int, answer: str) -> None:
        super().__init__(f"The console answered {status}: {answer[:500]}")
        self.status = status


class Console:
    """Requests that are retried with backoff until the console answers.

    The base URL is reread for every attempt: a restarted console may have moved.
    """

    def __init__(self, run_dir: Path, run_id: str, token: str) -> None:
        self.run_dir = run_dir
        self.run_id = run_id
        self._token = token

    def get_json(self, name: str) -> Any:
        """The data of a GET response. Raises Refused."""
        return json.loads(self._request("GET", name))["data"]

    def download(self, name: str, target: Path) -> None:
        """Streams a GET response into a file. Raises Refused."""
        self._request("GET", name, target=target)

    def post_json(self, name: str, body: Any) -> Any:
        """The data of a POST response. Raises Refused."""
        encoded = json.dumps(body).encode()
        headers = {"Content-Type": "application/json"}
        return json.loads(self._request("POST", name, encoded, headers))["data"]

    def put_file(self, name: str, file: Path, headers: dict[str, str]) -> None:
        """Streams a file as the body of a PUT. Raises Refused."""
        self._request("PUT", name, file, headers)

    def _request(
        self,
        method: str,
        name: str,
        body: bytes | Path | None = None,
        headers: dict[str, str] | None = None,
        target: Path | None = None,
    ) -> bytes:
        for pause in pauses():
            try:
                status, answer = self._once(method, name, body, headers or {}, target)
            except (OSError, http.client.HTTPException) as error:
                if getattr(error, "errno", None) in DISK_FULL:
                    raise
                status, answer = 0, str(error).encode()
            if 200 <= status < 300:
                return answer
            if status in FINAL_ANSWERS or 400 <= status < 429 or 429 < status < 500:
                raise Refused(status, answer.decode(errors="replace"))
            reason = answer[:200].decode(errors="replace")
            say(f"{method} {name}: {status} {reason}; retrying", sys.stderr)
            time.sleep(pause)
        raise AssertionError("pauses never end")

    def _once(
        self,
        method: str,
        name: str,
        body: bytes | Path | None,
        headers: dict[str, str],
        target: Path | None,
    ) -> tuple[int, bytes]:
        base = urlsplit((self.run_dir / "base_url").read_text().strip())
        secure = base.scheme == "https"
        kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
        connection = kind(base.hostname or "", base.port, timeout=60)
        path = f"{base.path}/api/runs/{self.run_id}/{name}"
        headers = {**headers, "Authorization": f"Bearer {self._token}"}
        try:
            if isinstance(body, Path):
                headers["Content-Length"] = str(body.stat().st_size)
                with body.open("rb") as file:
                    connection.request(method, path, file, headers)
            else:
                connection.request(method, path, body, headers)
            response = connection.getresponse()
            if target is None or response.status != 200:
                return response.status, response.read()
            _save(response, target)
            return response.status, b""
        finally:
            connection.close()


def _save(response: http.client.HTTPResponse, target: Path) -> None:
    """Save a complete response, or nothing. Raises OSError if it was cut off."""
    expected = response.getheader("Content-Length")
    part = target.with_suffix(".part")
    with part.open("wb") as file:
        while chunk := response.read(CHUNK_BYTES):
            file.write(chunk)
    if expected is not None and part.stat().st_size != int(expected):
        raise OSError(f"{target.name} was only partially received")
    part.rename(target)


def pauses() -> Iterator[float]:
    """Seconds to wait between attempts: 0.2, 0.4, … 10, 10, …"""
    pause = 0.2
    while True:
        yield pause
        pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


class Reporter:
    """Sends events in order, in batches, from its own thread; training never waits.

    Every event is first written to a file of the attempt. `cancelled` becomes true when
    the console asks the run to stop, `refused` when it rejects further reports. A file
    is touched regularly as a local heartbeat while the console is unreachable.
    """

    def __init__(self, console: Console, attempt_dir: Path) -> None:
        self.console = console
        self.measures = Measures()
        self.cancelled = threading.Event()
        self.refused: Refused | None = None
        self.taken_through = 0
        self._journal = attempt_dir / "events.jsonl"
        self._heartbeat = attempt_dir / "heartbeat"
        self._waiting: list[dict[str, Any]] = []
        self._sequence = 0
        self._news = threading.Condition()
        for work in (self._send_all, self._beat):
            threading.Thread(target=work, daemon=True).start()

    def emit(self, type: str, **values: Any) -> int:
        """Report an event; returns its sequence number."""
        with self._news:
            self._sequence += 1
            now = datetime.now(UTC).isoformat()
            event = {"sequence": self._sequence, "type": type, "at": now, **values}
            with contextlib.suppress(OSError), self._journal.open("a") as journal:
                journal.write(json.dumps(event) + "\n")
            self._waiting.append(event)
            self._news.notify()
            return self._sequence

    def log(self, message: str, level: str = "info") -> None:
        """Write a line to the job's log and to the attempt's output."""
        say(message)
        self.emit("log", message=message, level=level)

    def flush(self) -> None:
        """Wait until all events are acknowledged. Raises Refused."""
        with self._news:
            self._news.wait_for(lambda: not self._waiting or self.refused is not None)
        if self.refused is not None:
            raise self.refused

    def _beat(self) -> None:
        while True:
            with contextlib.suppress(OSError):
                self._heartbeat.touch()
            time.sleep(HEARTBEAT_SECONDS)

    def _send_all(self) -> None:
        while self.refused is None:
            with self._news:
                self._news.wait_for(lambda: self._waiting, timeout=HEARTBEAT_SECONDS)
                batch = self._waiting[:MOST_EVENTS]
            try:
                answer = self.console.post_json("events", {"events": batch})
            except Refused as refused:
                self._give_up(refused)
                return
            self._taken(answer)

    def _taken(self, answer: dict[str, Any]) -> None:
        if answer["cancel"]:
            self.cancelled.set()
        with self._news:
            self.taken_through = through = answer["accepted_through"]
            self._waiting = [e for e in self._waiting if e["sequence"] > through]
            self._news.notify_all()

    def _give_up(self, refused: Refused) -> None:
        with self._news:
            self.refused = refused
            self.cancelled.set()
            self._news.notify_all()


class Silent:
    """The Reporter of all but the first process: reports nothing."""

    def __init__(self) -> None:
        self.measures = Measures()
        self.cancelled = threading.Event()
        self.taken_through = 0

    def emit(self, type: str, **values: Any) -> int:
        return 0

    def log(self, message: str, level: str = "info") -> None:
        pass


Voice = Reporter | Silent
