"""Asks render_program.py: starts it, keeps it, ends it when it gives no answer.

Every process of the console has programs of its own, at most two at a time.
"""

import math
import os
import select
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import msgspec

from datasets.tokens import render_program
from datasets.tokens.render_program import LENGTH, ROW_SECONDS, SLOW, Answer, Model

SILENCE_SECONDS = 2 * ROW_SECONDS
START_SECONDS = 30.0
MOST_PROGRAMS = 2
WAIT_SECONDS = 20.0
MOST_STOPPED = 3
PIECE_BYTES = 1024 * 1024
PLAIN = ("PATH", "LANG", "LD_LIBRARY_PATH", "TMPDIR")
STOPPED = f"it takes longer than {SILENCE_SECONDS:.0f} s and was stopped"
GIVEN_UP = "it took too long for the rows before, so it was not asked any more"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A row as text, with the characters that are learned; or why there is none.

    `unprinted` are the kinds of what the template leaves out (printed.py).
    """

    text: str
    spans: list[tuple[int, int]]
    stable: bool
    refusal: str = ""
    unprinted: tuple[str, ...] = ()

    @property
    def refused(self) -> bool:
        return bool(self.refusal)


class Stopped(Exception):
    """The program gave no answer and was ended."""


@dataclass(slots=True, kw_only=True)
class Patience:
    """How often rows may take too long, and until when (time.monotonic()) to go on.

    What comes after that is refused without asking.
    """

    stops: int = MOST_STOPPED
    until: float = math.inf

    @property
    def is_over(self) -> bool:
        return self.stops <= 0 or time.monotonic() > self.until


class Renderer:
    """A model folder's chat template, as a program beside renders it."""

    def __init__(self, folder: Path, version: str, ends: tuple[str, ...]) -> None:
        self._model = str(folder), version, ends

    def render(self, rows: list[bytes], patience: Patience) -> list[Rendered]:
        """Normalised rows as text, one for each; none raises.

        Where the program was ended, the rows that it had not answered are asked one by
        one, until the one is found that it cannot end with.
        """
        found: list[Answer] = []
        together = True
        while len(found) < len(rows) and not patience.is_over:
            left = rows[len(found) :] if together else rows[len(found) :][:1]
            try:
                for answers in _asked(self._model, left, patience.until):
                    found += answers
                    patience.stops -= sum(a[3] == SLOW for a in answers)
            except Stopped:
                if len(left) == 1:
                    found.append(("", [], True, STOPPED, []))
                    patience.stops -= 1
                together = len(left) == 1
        found += [("", [], True, GIVEN_UP, [])] * (len(rows) - len(found))
        return [_rendered(answer) for answer in found]


def _rendered(answer: Answer) -> Rendered:
    text, spans, stable, refusal, unprinted = answer
    return Rendered(
        text=text,
        spans=[(start, end) for start, end in spans],
        stable=stable,
        refusal=refusal,
        unprinted=tuple(unprinted),
    )


def _asked(model: Model, rows: list[bytes], until: float) -> Iterator[list[Answer]]:
    """The answers to all rows, as they come. Raises Stopped."""
    frame = msgspec.msgpack.encode((*model, rows))
    missing = len(rows)
    with _program(until) as program:
        program.send(frame)
        while missing > 0:
            answers = program.receive(min(SILENCE_SECONDS, until - time.monotonic()))
            missing -= len(answers)
            yield answers


class Program:
    """A running render_program.py."""

    def __init__(self) -> None:
        environment = {name: os.environ[name] for name in PLAIN if name in os.environ}
        self.owner = os.getpid()
        self._process = subprocess.Popen(  # noqa: S603 - our own program
            [sys.executable, "-I", render_program.__file__],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, start_new_session=True,
            stderr=subprocess.DEVNULL, env=environment, bufsize=0,
        )  # fmt: skip
        try:
            self.receive(START_SECONDS)
        except Stopped:
            self.end()
            raise

    def send(self, frame: bytes) -> None:
        """Ask. Raises Stopped when it has ended meanwhile."""
        assert self._process.stdin is not None  # noqa: S101 - a pipe; for mypy
        view = memoryview(LENGTH.pack(len(frame)) + frame)
        try:
            while view:
                view = view[self._process.stdin.write(view) :]
        except OSError as error:
            raise Stopped from error

    def receive(self, seconds: float) -> list[Answer]:
        """One frame. Raises Stopped when none is whole within these seconds."""
        until = time.monotonic() + seconds
        size = LENGTH.unpack(self._read(LENGTH.size, until))[0]
        return msgspec.msgpack.decode(self._read(size, until), type=list[Answer])

    def end(self) -> None:
        """End it, whatever it is at."""
        self._process.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            if pipe is not None:
                pipe.close()

    def _read(self, size: int, until: float) -> bytes:
        assert self._process.stdout is not None  # noqa: S101 - a pipe; for mypy
        pieces, descriptor = [], self._process.stdout.fileno()
        poll = select.poll()
        poll.register(descriptor, select.POLLIN)
        while size:
            left = max(until - time.monotonic(), 0)
            piece = b""
            if poll.poll(1000 * left):
                piece = os.read(descriptor, min(size, PIECE_BYTES))
            if not piece:
                raise Stopped
            pieces.append(piece)
            size -= len(piece)
        return b"".join(pieces)


_idle: list[Program] = []
_places = threading.BoundedSemaphore(MOST_PROGRAMS)


@contextmanager
def _program(until: float) -> Iterator[Program]:
    """One that nobody else asks meanwhile; it is ended unless all was answered.

    Raises Stopped where none is free or can be started in time.
    """
    wait = min(WAIT_SECONDS, until - time.monotonic())
    if not _places.acquire(timeout=max(wait, 0)):
        raise Stopped
    program = None
    try:
        program = _idle_one() or Program()
        yield program
        _idle.append(program)
        program = None
    finally:
        if program is not None:
            program.end()
        _places.release()


def _idle_one() -> Program | None:
    while _idle:
        program = _idle.pop()
        if program.owner == os.getpid():
            return program
    return None
