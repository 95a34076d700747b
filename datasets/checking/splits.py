"""Second pass: writes every example as messages into two splits."""

import hashlib
import struct
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any

from django.conf import settings

from datasets.checking.samples import sample_of
from datasets.checking.sources import Source, Wanted, open_source
from datasets.domain.faults import Fault, FaultLog
from datasets.domain.formats.declared import Format
from datasets.domain.formats.rows import RowReader
from datasets.domain.formats.turns import Example, row_bytes
from datasets.domain.secrets import find_secret
from datasets.domain.split import REMEMBERED, Splitter
from datasets.domain.survey import is_validation
from datasets.models import Dataset
from datasets.rows import OFFSET, ROWS_AN_INDEX_ENTRY
from datasets.stored_files import replace_stored
from lora_pipeline.files.scratch import scratch_folder

SAMPLES = 5
GROUP = struct.Struct("<Q")

Tell = Callable[[float], Any]


@dataclass(slots=True)
class Normalised:
    """Counts from the second pass."""

    training: int = 0
    validation: int = 0
    turns: int = 0
    training_turns: int = 0
    samples: list[dict[str, Any]] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reading:
    """How a dataset's rows are read.

    `has_validation`: the document itself names the rows of the validation split.
    """

    format: Format
    chosen_only: bool = False
    has_validation: bool = False


def write_splits(
    dataset: Dataset, reading: Reading, log: FaultLog, tell: Tell = lambda share: None
) -> Normalised:
    """Write both splits of a checked dataset; warnings go to the log."""
    found = Normalised()
    with (
        scratch_folder(scratch_name(dataset)) as folder,
        Rows("train", dataset, folder) as train,
        Rows("validation", dataset, folder) as validation,
    ):
        if dataset.validation_file_path or reading.has_validation:
            held = _write_given(dataset, reading, validation, found)
            _write_train(dataset, reading, train, held, log, found, tell)
        else:
            _write_by_share(dataset, reading, train, validation, log, found, tell)
        found.training, found.validation = train.count, validation.count
    return found


def scratch_name(dataset: Dataset) -> str:
    """What the folder of a check under way is called."""
    return f"check-{dataset.pk}"


def examples_of(
    source: Source, reading: Reading, wanted: Wanted = lambda member: True
) -> Iterator[Example]:
    """All examples of a source; the first pass has already reported its errors."""
    reader = RowReader(reading.format, chosen_only=reading.chosen_only)
    for read in reader.read_all(source.items(wanted)):
        yield from read.examples


class Looks:
    """The slower checks of every example: duplicates and likely secrets."""

    def __init__(self, log: FaultLog) -> None:
        self._log = log
        self._first_line: dict[int, int] = {}

    def at(self, example: Example, row: bytes) -> None:
        """Log duplicates and likely secrets."""
        mark = int.from_bytes(hashlib.blake2b(row, digest_size=8).digest())
        first = self._first_line.get(mark)
        if first is not None:
            words = f"the same as line {first:,}"
            self._log.add(Fault(kind="duplicate", line=example.line, found=words))
        elif len(self._first_line) < REMEMBERED:
            self._first_line[mark] = example.line
        if b"\\u0000" in row:
            for field in _with_nul(example):
                self._log.add(
                    Fault(kind="nul_character", line=example.line, field=field)
                )
        if secret := find_secret(row):
            self._log.add(Fault(kind="secret", line=example.line, found=secret))


def _with_nul(example: Example) -> Iterator[str]:
    for number, message in enumerate(example.messages):
        if "\x00" in message["content"]:
            yield f"messages[{number}].content"


def _write_by_share(
    dataset: Dataset, reading: Reading, train: "Rows", validation: "Rows",
    log: FaultLog, found: Normalised, tell: Tell,
) -> None:  # fmt: skip
    """Write every row once to a scratch file with its group, then to its split."""
    looks = Looks(log)
    splitter = Splitter(share=dataset.validation_share, seed=dataset.split_seed)
    with _scratch() as rows, _scratch() as groups:
        with open_source(dataset.storage_path) as source:
            for example in examples_of(source, reading):
                row = row_bytes(example)
                looks.at(example, row)
                _note(found, example)
                rows.write(row + b"\n")
                groups.write(GROUP.pack(splitter.add(row, example.conversation)))
                tell(source.share_read)
        splitter.settle()
        rows.seek(0)
        groups.seek(0)
        for row in rows:
            group = GROUP.unpack(groups.read(GROUP.size))[0]
            held = splitter.is_held_out(group)
            (validation if held else train).write(row)
            found.training_turns += 0 if held else turns_in(row)


def _write_given(
    dataset: Dataset, reading: Reading, validation: "Rows", found: Normalised
) -> set[bytes]:
    """Write the given validation rows; returns their fingerprints.

    They are a file of their own, or members of the document.
    """
    marks: set[bytes] = set()
    path = dataset.validation_file_path or dataset.storage_path
    wanted = is_validation if not dataset.validation_file_path else _any_member
    with open_source(path) as source:
        for example in examples_of(source, reading, wanted):
            row = row_bytes(example)
            _note(found, example)
            validation.write(row + b"\n")
            if len(marks) < REMEMBERED:
                marks.add(hashlib.blake2b(row, digest_size=8).digest())
    return marks


def _any_member(member: str) -> bool:
    return True


def _is_training(member: str) -> bool:
    return not is_validation(member)


def _write_train(
    dataset: Dataset, reading: Reading, train: "Rows", held: set[bytes],
    log: FaultLog, found: Normalised, tell: Tell,
) -> None:  # fmt: skip
    """Write all rows except those that are also in the validation split."""
    looks = Looks(log)
    wanted = _any_member if dataset.validation_file_path else _is_training
    with open_source(dataset.storage_path) as source:
        for example in examples_of(source, reading, wanted):
            row = row_bytes(example)
            looks.at(example, row)
            tell(source.share_read)
            if hashlib.blake2b(row, digest_size=8).digest() in held:
                log.add(Fault(kind="on_both_sides", line=example.line))
                continue
            _note(found, example)
            train.write(row + b"\n")
            found.training_turns += turns_in(row)


def turns_in(row: bytes) -> int:
    """The messages of a normalised row, without system messages."""
    return row.count(b'{"role":"') - row.count(b'{"role":"system"')


def _note(found: Normalised, example: Example) -> None:
    found.turns += sum(m["role"] != "system" for m in example.messages)
    if len(found.samples) < SAMPLES:
        found.samples.append(sample_of(example))


class Rows:
    """A split being written, plus an index of every 256th row's offset."""

    def __init__(self, split: str, dataset: Dataset, folder: Path) -> None:
        self._folder = folder
        self._paths = dataset.split_path(split), dataset.index_path(split)
        self._files: list[IO[bytes]] = []
        self._offset = 0
        self.count = 0

    def __enter__(self) -> "Rows":
        for _ in self._paths:
            file = tempfile.NamedTemporaryFile(dir=self._folder, delete=False)
            self._files.append(file)
        return self

    def write(self, row: bytes) -> None:
        if not self.count % ROWS_AN_INDEX_ENTRY:
            self._files[1].write(OFFSET.pack(self._offset))
        self._files[0].write(row)
        self._offset += len(row)
        self.count += 1

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        for file, path in zip(self._files, self._paths, strict=True):
            file.close()
            if kind is None:
                replace_stored(path, file.name)
            Path(file.name).unlink(missing_ok=True)


@contextmanager
def _scratch() -> Iterator[IO[bytes]]:
    with tempfile.TemporaryFile(dir=settings.UPLOAD_DIR) as file:
        yield file
