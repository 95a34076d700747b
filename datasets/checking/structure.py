"""First pass over a file: the structure of every row and the file's SHA-256."""

import hashlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from django.core.files.storage import default_storage

from datasets.checking.sources import PIECE_BYTES, Plain, Source, Unreadable, opened
from datasets.domain.faults import Fault, FaultLog
from datasets.domain.formats.assemble import Read
from datasets.domain.formats.declared import Format
from datasets.domain.formats.parts import notes_of
from datasets.domain.formats.plain import looked_at, looker_of
from datasets.domain.formats.rows import RowReader

AHEAD = 4
MAX_ERRORS = 100_000


@dataclass(slots=True)
class Structure:
    """Results of the first pass."""

    log: FaultLog = field(default_factory=FaultLog)
    sha256: str = ""
    format: Format | None = None
    container: str = ""
    rows: int = 0
    examples: int = 0
    is_readable: bool = True
    has_validation: bool = False


class HashedFile(Plain):
    """A stored file that a helper thread hashes while it is read."""

    def __init__(self, file: Any, tell: Callable[[int], Any]) -> None:
        super().__init__(file)
        self._tell = tell
        self._digest = hashlib.sha256()
        self._thread = ThreadPoolExecutor(max_workers=1)
        self._pending: list[Future[None]] = []
        self._hashed = 0

    def readinto(self, buffer: Any) -> int:
        start = self.tell()
        count = super().readinto(buffer)
        new = bytes(buffer[max(self._hashed - start, 0) : count])
        if new and start <= self._hashed:
            self._hash(new)
            self._tell(self._hashed)
        return count

    def hexdigest(self) -> str:
        """Hash of the whole file; reads whatever has not been read yet."""
        self.seek(self._hashed)
        while self.readinto(memoryview(bytearray(PIECE_BYTES))):
            continue
        self._thread.shutdown()
        return self._digest.hexdigest()

    def _hash(self, piece: bytes) -> None:
        self._hashed += len(piece)
        self._pending.append(self._thread.submit(self._digest.update, piece))
        if len(self._pending) > AHEAD:
            self._pending.pop(0).result()


def check_structure(
    storage_path: str,
    tell: Callable[[float], Any] = lambda share: None,
    expected: Format | None = None,
    *,
    chosen_only: bool = False,
) -> Structure:
    """One streaming pass that collects every error and raises none.

    `expected` is the format made by hand, or determined by the dataset's other file;
    `chosen_only` takes of preference data the chosen answers as examples.
    """
    found = Structure(format=expected)
    with default_storage.open(storage_path) as stored:
        file = HashedFile(stored, lambda read: tell(read / max(stored.size, 1)))
        try:
            with opened(file, storage_path, stored.size) as source:
                _check_rows(source, found, chosen_only)
        except Unreadable as stopped:
            found.log.add(stopped.fault)
            found.is_readable = False
        found.sha256 = file.hexdigest()
    if not found.examples and not found.log.error_count:
        found.log.add(Fault(kind="empty_file", found=f"{found.rows:,} rows read"))
    return found


def _check_rows(source: Source, found: Structure, chosen_only: bool) -> None:
    found.container = source.container
    if source.byte_order_mark:
        found.log.add(Fault(kind="byte_order_mark", line=1))
    reader = RowReader(found.format, chosen_only=chosen_only)
    log, flawless, looker = found.log, 0, looker_of(reader.format)
    try:
        for line, item in source.items():
            if looker and (beside := looked_at(looker, item)) is not None:
                flawless += 1
                if beside:
                    log.count_unused(line, beside)
                continue
            _note(found, line, reader.read(line, item))
            looker = looker or looker_of(reader.format)
        _note(found, reader.rows + flawless, reader.finish())
    finally:
        found.examples += flawless
        found.format, found.rows = reader.format, reader.rows + flawless
        found.has_validation = source.has_validation
        log.count_unused(1, source.unread)
        log.name_unused(notes_of(log.unused))


def _note(found: Structure, line: int, read: Read) -> None:
    found.examples += len(read.examples)
    found.log.extend(read.faults)
    if read.unused:
        found.log.count_unused(line, set(read.unused))
    if found.log.error_count > MAX_ERRORS:
        words = f"over {MAX_ERRORS:,} until line {line:,}"
        raise Unreadable(Fault(kind="too_many", line=line, found=words))
