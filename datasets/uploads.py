"""Chunked uploads: each chunk continues where the last one ended."""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO, Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.db import transaction

from datasets.models import Dataset
from datasets.services import LOCAL, begin_check, safe_name
from datasets.stored_files import replace_stored
from lora_pipeline.accounts.quotas import require_room
from lora_pipeline.errors import Refusal
from lora_pipeline.files.folders import files_below
from lora_pipeline.files.scratch import is_in_use
from lora_pipeline.models import User
from lora_pipeline.operations.retention import Freed

RANGE = re.compile(r"bytes (?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18})")
PIECE_BYTES = 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Piece:
    """Bytes `start` to `end` of `total`, inclusive; without them, an offset query."""

    start: int | None
    end: int | None
    total: int


@transaction.atomic
def begin_upload(
    *, owner: User, file_name: str, file_size: int, **options: Any
) -> Dataset:
    """Create a dataset in state `uploading`, whose file arrives in chunks.

    Raises Refusal for a file that is too large, or for which the owner has no room.
    """
    if file_size > settings.MAX_UPLOAD_BYTES:
        words = f"Received {file_size:,}; at most {settings.MAX_UPLOAD_BYTES:,} bytes."
        raise Refusal(
            words, status_code=413, code="too_large", details={"file_size": [words]}
        )
    require_room(owner=owner, kind="storage_bytes", adding=file_size)
    name = safe_name(file_name)
    options["name"] = options.get("name", "").strip() or Path(name).stem[:200]
    return Dataset.objects.create(
        user=owner, file_name=name, file_size=file_size, **options
    )


def received_bytes(dataset: Dataset) -> int:
    """How much of a dataset's file has arrived."""
    if dataset.status != Dataset.Status.UPLOADING:
        return dataset.file_size
    path = part_path(dataset)
    return path.stat().st_size if path.is_file() else 0


def part_path(dataset: Dataset) -> Path:
    """Where the chunks are collected."""
    return Path(settings.UPLOAD_DIR) / f"{dataset.pk}.part"


def read_range(header: str, length: int, size: int) -> Piece:
    """Parse Content-Range. Raises Refusal if it does not match the body or file."""
    found = RANGE.fullmatch(header.strip())
    if found is None:
        forms = "'bytes START-END/TOTAL' or 'bytes */TOTAL'"
        raise _wrong_range(f"Received {header[:80]!r}; use {forms}.")
    start, end, total = (int(n) if n is not None else None for n in found.groups())
    if total != size:
        raise _wrong_range(
            f"Received a total of {total:,}, but the upload was created with {size:,}."
        )
    if start is None or end is None:
        return Piece(start=None, end=None, total=size)
    if end < start or end >= size or end - start + 1 != length:
        raise _wrong_range(
            f"The range {start}-{end} of {size} does not fit a body of {length} bytes."
        )
    return Piece(start=start, end=end, total=size)


def append(*, dataset: Dataset, piece: Piece, stream: IO[bytes]) -> Dataset:
    """Store the next chunk; the last one starts validation.

    Raises Refusal with the current offset when the chunk starts elsewhere, or while
    another is being received. Bytes received before a dropped connection are kept.
    """
    with _locked(dataset) as file:
        offset = file.seek(0, os.SEEK_END)
        if piece.start is not None:
            if piece.start != offset:
                raise _elsewhere(piece.start, offset)
            assert piece.end is not None  # noqa: S101 - a piece has both ends or none; for mypy
            _copy(stream, file, piece.end - piece.start + 1)
            offset = file.tell()
        if offset < dataset.file_size or not dataset.file_size:
            return dataset
        return _finish(dataset, file.name)


def _finish(dataset: Dataset, path: str) -> Dataset:
    dataset.storage_bucket = settings.S3_BUCKET or LOCAL
    dataset.storage_path = f"datasets/{dataset.pk}/original"
    replace_stored(dataset.storage_path, path)
    try:
        begin_check(dataset)
    except BaseException:
        default_storage.delete(dataset.storage_path)
        raise
    return dataset


def _copy(stream: IO[bytes], file: IO[bytes], length: int) -> None:
    left = length
    while left:
        try:
            found = stream.read(min(left, PIECE_BYTES))
        except OSError:
            found = b""
        if not found:
            file.flush()
            words = (
                f"The connection dropped {left:,} bytes early. Resume from the offset."
            )
            raise Refusal(words, code="incomplete", details={"offset": file.tell()})
        file.write(found)
        left -= len(found)
    file.flush()


@contextmanager
def _locked(dataset: Dataset) -> Iterator[IO[bytes]]:
    with part_path(dataset).open("ab") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            words = "Another chunk of this upload is being received. Try again shortly."
            raise Refusal(words, status_code=409, code="busy") from error
        dataset.refresh_from_db()
        if dataset.status != Dataset.Status.UPLOADING:
            words = "This upload is already complete."
            raise Refusal(words, status_code=409, code="complete")
        yield file


def _elsewhere(start: int, offset: int) -> Refusal:
    words = (
        f"Received a chunk starting at {start:,}; the next must start at {offset:,}."
    )
    return Refusal(
        words, status_code=409, code="wrong_offset", details={"offset": offset}
    )


def _wrong_range(words: str) -> Refusal:
    return Refusal(words, code="invalid", details={"Content-Range": [words]})


def remove_stale_before(before: datetime, *, dry_run: bool) -> Freed:
    """Remove uploads abandoned since then, and leftover files."""
    freed, seen = Freed("unfinished uploads"), set()
    stale = Dataset.objects.filter(
        status=Dataset.Status.UPLOADING, updated_at__lt=before
    )
    for dataset in stale:
        path = part_path(dataset)
        if path.is_file() and path.stat().st_mtime > before.timestamp():
            continue
        seen.add(path)
        freed.add(_remove(path, dry_run))
        if not dry_run:
            dataset.delete()
    for left in Path(settings.UPLOAD_DIR).iterdir():
        if left in seen or left.stat().st_mtime >= before.timestamp():
            continue
        if left.is_file() or not is_in_use(left):
            freed.add(_remove(left, dry_run))
    return freed


def _remove(path: Path, dry_run: bool) -> int:
    """Size of the file that was removed, or would be."""
    if path.is_dir():
        size = sum(file.stat().st_size for file in files_below(path))
        if not dry_run:
            shutil.rmtree(path, ignore_errors=True)
        return size
    size = path.stat().st_size if path.is_file() else 0
    if not dry_run:
        path.unlink(missing_ok=True)
    return size
