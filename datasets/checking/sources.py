"""Iterates over the rows of an uploaded file, whatever its container.

Rows are not interpreted here. Errors that stop reading raise Unreadable; errors in a
single row are yielded in its place.
"""

import csv
import gzip
import io
import math
import os
import re
import subprocess
import sys
import tempfile
import threading
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from itertools import chain
from pathlib import Path
from time import monotonic
from typing import IO, Any, cast

from django.conf import settings
from django.core.files.storage import default_storage

from datasets.checking import parquet_rows
from datasets.checking.tables import table_rows
from datasets.domain.document import ENDING, Document
from datasets.domain.faults import Fault, clean
from datasets.domain.layout import BYTE_ORDER_MARK, HEAD_BYTES, Layout, find_layout
from datasets.domain.parse import Parsed
from datasets.domain.survey import is_validation
from lora_pipeline.files.unpacking import (
    Gauge,
    Gauged,
    UnpacksTooLarge,
    UnpacksTooLittle,
    Yielding,
)

MAX_ROW_BYTES = 10 * 1024 * 1024
PLAIN = ("PATH", "LANG", "LD_LIBRARY_PATH", "TMPDIR")
PIECE_BYTES = 1024 * 1024
MAX_BLANK_LINES = 1_000_000
BROKEN_GZIP = (gzip.BadGzipFile, zlib.error, EOFError, UnpacksTooLittle)
OPEN_FILE = "/dev/fd/"
MAX_WAIT = 7 * 24 * 3600.0
HEADER_FAULTS = ("repeated_header", "unreadable_header")
GZIP = b"\x1f\x8b"
Item = tuple[int, bytes | dict[str, Any] | Parsed | Fault]
Wanted = Callable[[str], bool]

csv.field_size_limit(MAX_ROW_BYTES)


class Unreadable(Exception):
    """The file cannot be read any further; carries the reason."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


class Source:
    """An open file: its layout, its rows and how much has been read."""

    def __init__(self, raw: IO[bytes], size: int, name: str) -> None:
        self.size = max(size, 1)
        self.name = name
        self.packed = False
        self._raw = raw
        self._stream = self._unpacked()
        head, found = self._read_head()
        self.head_share = 1.0 if len(head) < HEAD_BYTES else self._head_share
        self.byte_order_mark = head.startswith(BYTE_ORDER_MARK)
        if isinstance(found, Fault):
            raise Unreadable(found)
        self.layout: Layout = found
        self.head = head
        self.unread: list[str] = []
        self.has_validation = False

    @property
    def container(self) -> str:
        """jsonl, json, csv or parquet, with .gz when it was compressed."""
        return self.layout.container + (".gz" if self.packed else "")

    @property
    def share_read(self) -> float:
        """Fraction of the file read so far, 0 to 1."""
        return min(self._raw.tell() / self.size, 1.0)

    def items(self, wanted: Wanted = lambda member: True) -> Iterator[Item]:
        """Each row with its line (row number in Parquet): bytes, values or an error.

        `wanted` tells of which members of a JSON document.
        """
        self._wanted = wanted
        readers = {
            "jsonl": self._lines,
            "json": self._document,
            "csv": self._csv,
            "parquet": self._parquet,
        }
        try:
            yield from readers[self.layout.container]()
        except (*BROKEN_GZIP, UnpacksTooLarge) as error:
            raise Unreadable(_not_unpacked(error)) from error

    def sample(self, until: float) -> Iterator[Item]:
        """The rows that are complete within the file's first bytes.

        Of a Parquet file those that its reader gives before `until`, a
        time.monotonic(); of a packed one none, as it would be unpacked whole first.
        """
        if self.layout.container == "parquet":
            if not self.packed:
                yield from self._parquet(until, parquet_rows.FIRST_LOOK)
            return
        whole = len(self.head) < HEAD_BYTES
        end = len(self.head) if whole else self.head.rfind(b"\n") + 1
        self._stream = io.BufferedReader(io.BytesIO(self.head[: end or None]))
        with suppress(Unreadable):  # the head of a document ends inside of it
            yield from self.items()

    def _unpacked(self) -> io.BufferedIOBase:
        start = self._raw.read(2)
        self._raw.seek(0)
        if start != GZIP:
            return self._raw  # type: ignore[return-value]
        self.packed = True
        return unpacked(self._raw)

    def _read_head(self) -> tuple[bytes, Layout | Fault]:
        try:
            head = self._stream.read(HEAD_BYTES)
            self._head_share = self.share_read
            pieces = chain([head.removeprefix(BYTE_ORDER_MARK)], self._pieces())
            found = find_layout(head, lambda: next(pieces, b""))
        except (*BROKEN_GZIP, UnpacksTooLarge) as error:
            raise Unreadable(_not_unpacked(error)) from error
        self._raw.seek(0)
        self._stream = self._unpacked()
        return head, found

    def _pieces(self) -> Iterator[bytes]:
        while piece := self._stream.read(PIECE_BYTES):
            yield piece

    def _lines(self) -> Iterator[Item]:
        read, number = self._stream.readline, 0
        if self.byte_order_mark:
            self._stream.read(len(BYTE_ORDER_MARK))
        blank = 0
        while raw := read(MAX_ROW_BYTES + 1):
            number += 1
            if len(raw) < 3 and raw.isspace():
                blank += 1
                if blank > MAX_BLANK_LINES:
                    raise Unreadable(Fault(kind="blank_lines", line=number))
            if len(raw) <= MAX_ROW_BYTES:
                yield number, raw
                continue
            length = len(raw)
            while not raw.endswith(b"\n") and (raw := read(PIECE_BYTES)):
                length += len(raw)
            yield number, too_long(number, length)

    def _document(self) -> Iterator[Item]:
        if self.byte_order_mark:
            self._stream.read(len(BYTE_ORDER_MARK))
        pieces = self._pieces()
        document = Document(lambda: next(pieces, b""), max_bytes=MAX_ROW_BYTES)
        for line, row, member in document.rows(self.layout.plan):
            if isinstance(row, Fault) and row.kind in ENDING:
                raise Unreadable(row)
            self.has_validation |= is_validation(member)
            if self._wanted(member):
                yield line, row
        self.unread = document.unread

    def _csv(self) -> Iterator[Item]:
        lines = _csv_lines(self._stream)
        for line, row in table_rows(lines, self.layout):
            if isinstance(row, Fault) and row.kind in HEADER_FAULTS:
                raise Unreadable(row)
            yield line, row

    def _parquet(
        self, until: float = math.inf, limits: tuple[int, int] = parquet_rows.WHOLE
    ) -> Iterator[Item]:
        gauge = Gauge(most_bytes=settings.MAX_UNPACKED_BYTES, packed=self.size)
        with self._on_disk() as path, _parquet_program(path, until, limits) as program:
            assert program.stdout is not None  # noqa: S101 - it was started with a pipe; for mypy
            number = 0
            while raw := program.stdout.readline(MAX_ROW_BYTES + 1):
                number += 1
                gauge.add(len(raw))
                if len(raw) > MAX_ROW_BYTES:
                    raise Unreadable(too_long(number))
                yield number, raw

    @contextmanager
    def _on_disk(self) -> Iterator[str]:
        """Path of the uncompressed file; copies it to disk if needed."""
        if not self.packed and Path(self.name).is_file():
            yield self.name
            return
        # Without a name, so that nothing stays behind a worker that is killed.
        with tempfile.TemporaryFile(dir=settings.UPLOAD_DIR) as copy:
            try:
                while piece := self._stream.read(PIECE_BYTES):
                    copy.write(piece)
            except (*BROKEN_GZIP, UnpacksTooLarge) as error:
                raise Unreadable(_not_unpacked(error)) from error
            copy.flush()
            yield f"{OPEN_FILE}{copy.fileno()}"


def unpacked(packed: IO[bytes]) -> io.BufferedReader:
    """A gzip file's content, as far as it grows within measure."""
    gauge = Gauge(most_bytes=settings.MAX_UNPACKED_BYTES, packed=packed.tell)
    source: Any = Yielding(packed, gauge)
    content: Any = gzip.GzipFile(fileobj=source, mode="rb")
    return io.BufferedReader(Gauged(content, gauge), PIECE_BYTES)


@contextmanager
def open_source(storage_path: str) -> Iterator[Source]:
    """The stored file as a Source. Raises Unreadable when it cannot be read."""
    with (
        default_storage.open(storage_path) as stored,
        opened(Plain(stored), storage_path, stored.size) as source,
    ):
        yield source


@contextmanager
def opened(file: "Plain", storage_path: str, size: int) -> Iterator[Source]:
    """A Source over an uncompressed stream of a stored file."""
    try:
        path = default_storage.path(storage_path)
    except NotImplementedError:
        path = ""
    yield Source(io.BufferedReader(file, PIECE_BYTES), size, path)


class Plain(io.RawIOBase):
    """A readable, seekable, uncompressed stream of a stored file."""

    def __init__(self, file: Any) -> None:
        self._file = file

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def seek(self, offset: int, whence: int = 0) -> int:
        return int(self._file.seek(offset, whence))

    def tell(self) -> int:
        return int(self._file.tell())

    def readinto(self, buffer: Any) -> int:
        found = self._file.read(len(buffer))
        buffer[: len(found)] = found
        return len(found)


def too_long(line: int, length: int | None = None) -> Fault:
    """The error for a row longer than MAX_ROW_BYTES."""
    size = f"{length:,} bytes" if length else f"over {MAX_ROW_BYTES:,} bytes"
    return Fault(
        kind="row_too_long", line=line, found=f"{size}; at most {MAX_ROW_BYTES:,}"
    )


def _csv_lines(stream: io.BufferedIOBase) -> Iterator[str]:
    """Lines with their ends, be they of Unix, Windows or an old Mac."""
    text = io.TextIOWrapper(
        cast("IO[bytes]", stream), "utf-8", errors="surrogateescape", newline=""
    )
    first = True
    try:
        while line := text.readline(MAX_ROW_BYTES + 1):
            if len(line) > MAX_ROW_BYTES:
                raise Unreadable(too_long(0))
            yield line.removeprefix("\ufeff") if first else line
            first = False
    finally:
        text.detach()


def _plain_environment() -> dict[str, str]:
    """The process that reads untrusted files gets none of the console's secrets."""
    return {name: os.environ[name] for name in PLAIN if name in os.environ}


@contextmanager
def _parquet_program(
    path: str, until: float, limits: tuple[int, int]
) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-I", str(Path(parquet_rows.__file__)), path]
    command += map(str, limits)
    is_open = path.startswith(OPEN_FILE)
    kept = [int(path.removeprefix(OPEN_FILE))] if is_open else []
    with tempfile.TemporaryFile() as said:
        program = subprocess.Popen(  # noqa: S603 - our own program, the path is a temporary file's
            command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=said,
            start_new_session=True, env=_plain_environment(),
            pass_fds=kept,
        )  # fmt: skip
        limit = threading.Timer(min(until - monotonic(), MAX_WAIT), program.kill)
        limit.daemon = True
        limit.start()
        try:
            yield program
            if program.wait(30) and monotonic() < until:
                said.seek(0)
                raise Unreadable(
                    _broken_parquet(said.read(4000).decode("utf-8", "replace"))
                )
        finally:
            limit.cancel()
            program.kill()
            program.wait()
            if program.stdout:
                program.stdout.close()


def _broken_parquet(said: str) -> Fault:
    """The reader's error message, without its source location."""
    found = re.search(r'"([^"]{1,200})"', said)
    words = found.group(1) if found else "the Parquet reader crashed"
    return Fault(kind="broken_parquet", found=clean(words))


def _not_unpacked(error: Exception) -> Fault:
    found = clean(str(error)[:200])
    is_bomb = isinstance(error, UnpacksTooLarge)
    return Fault(kind="unpacks_too_large" if is_bomb else "broken_gzip", found=found)
