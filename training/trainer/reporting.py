"""Communication with the console: numbered events, resent until acknowledged."""

import contextlib
import errno
import http.client
import json
import math
import sys
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any
from urllib.parse import urlsplit

from measures import Measures
from stopping import Stopped

FINAL_ANSWERS = frozenset({401, 403, 404, 409, 410})
NEVER_TAKEN = frozenset({400, 413})
HEARTBEAT_SECONDS = 5.0
LONGEST_PAUSE_SECONDS = 10.0
MOST_EVENTS = 500
CHUNK_BYTES = 1024 * 1024
DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


def boot_id() -> str:
    """Which start of this machine its monotonic clock counts from; - if unknown."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_text().strip()
    except OSError:
        return "-"


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

    A run that was asked to stop meanwhile raises Stopped instead of trying again; only
    its reports go on. The base URL is reread for every attempt: a restarted console may
    have moved.
    """

    def __init__(self, run_dir: Path, run_id: str, token: str) -> None:
        self.run_dir = run_dir
        self.run_id = run_id
        self.stopping = threading.Event()
        self._token = token

    def get_json(self, name: str) -> Any:
        """The data of a GET response. Raises Refused."""
        return json.loads(self._request("GET", name))["data"]

    def download(self, name: str, target: Path) -> None:
        """Streams a GET response into a file. Raises Refused."""
        self._request("GET", name, target=target)

    def post_json(self, name: str, body: Any) -> Any:
        """The data of a POST response, however long it takes. Raises Refused."""
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
            if method == "POST":
                time.sleep(pause)
            elif self.stopping.wait(pause):
                raise Stopped(0)
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


def sayable(value: Any) -> Any:
    """For JSON, and for the console's database: NaN and infinity as words, no NUL and
    no half of a surrogate pair in a text.
    """
    if isinstance(value, str):
        return (
            value.replace("\0", "\N{REPLACEMENT CHARACTER}")
            .encode(errors="replace")
            .decode()
        )
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN" if math.isnan(value) else f"{'-' * (value < 0)}Infinity"
    if isinstance(value, dict):
        return {sayable(name): sayable(one) for name, one in value.items()}
    return [sayable(one) for one in value] if isinstance(value, list) else value


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

    What the console can never take (400) is looked for event by event, left out, and
    said to be in the log: sent again, it would hold up all that comes after it.
    """

    def __init__(self, console: Console, attempt_dir: Path) -> None:
        self.console = console
        self.measures = Measures()
        self.cancelled = console.stopping
        self.refused: Refused | None = None
        self.taken_through = 0
        self._journal = attempt_dir / "events.jsonl"
        self._heartbeat = attempt_dir / "heartbeat"
        self._waiting: list[dict[str, Any]] = []
        self._sequence = 0
        self._began = time.monotonic()
        self._alone_through = 0
        self._left_out: set[int] = set()
        self._news = threading.Condition()
        for work in (self._send_all, self._beat):
            threading.Thread(target=work, daemon=True).start()

    def emit(self, type: str, **values: Any) -> int:
        """Report an event; returns its sequence number."""
        with self._news:
            self._sequence += 1
            now = datetime.now(UTC).isoformat()
            event = {"sequence": self._sequence, "type": type, "at": now}
            event |= sayable(values)
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
                self._heartbeat.touch()  # in time even where there is no room to write
                self._heartbeat.write_text(f"{boot_id()} {time.monotonic()}")
            time.sleep(HEARTBEAT_SECONDS)

    def _send_all(self) -> None:
        while self.refused is None:
            with self._news:
                self._news.wait_for(lambda: self._waiting, timeout=HEARTBEAT_SECONDS)
                batch = self._next()
            try:
                answer = self.console.post_json("events", self._report(batch))
            except Refused as refused:
                if refused.status in NEVER_TAKEN and batch:
                    self._look_closer(batch, refused)
                else:
                    self._give_up(refused)
            else:
                self._taken(answer)

    def _report(self, batch: list[dict[str, Any]]) -> dict[str, Any]:
        """With the time by a clock that nobody can set: it is what the run costs."""
        running = round(time.monotonic() - self._began, 3)
        return {"events": batch, "running_seconds": running}

    def _next(self) -> list[dict[str, Any]]:
        """Many at once; one by one where one among them was refused."""
        alone = self._waiting and self._waiting[0]["sequence"] <= self._alone_through
        return self._waiting[: 1 if alone else MOST_EVENTS]

    def _look_closer(self, batch: list[dict[str, Any]], refused: Refused) -> None:
        """Send a refused batch one by one; put a word in the place of what is refused
        alone, since no number may be missing. A refused word ends it.
        """
        event = batch[0]
        if len(batch) > 1:
            self._alone_through = batch[-1]["sequence"]
        elif event["sequence"] in self._left_out:
            self._give_up(refused)
        else:
            self._left_out.add(event["sequence"])
            say(f"event {event['sequence']} is left out: {refused}", sys.stderr)
            with self._news:
                self._waiting[0] = instead_of(event, str(refused))

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


def instead_of(event: dict[str, Any], why: str) -> dict[str, Any]:
    """The word for an event that the console cannot take; an end stays an end."""
    kept = {name: event[name] for name in ("sequence", "at")}
    words = f"The console cannot take event {event['sequence']} ({event['type']}), "
    words = f"{words}which is left out. {why}"
    if event["type"] == "failed":
        return kept | {"type": "failed", "message": words}
    if event["type"] in {"completed", "cancelled"}:
        return kept | {"type": event["type"]}
    return kept | {"type": "log", "level": "warning", "message": words}


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
