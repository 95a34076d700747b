"""Chunked uploads: each chunk continues where the last one ended."""

import fcntl
import os
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import partial
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
from lora_pipeline.files.durable import (
    is_disk_full,
    sync,
    sync_path,
    undone_if_refused,
)
from lora_pipeline.files.folders import files_below
from lora_pipeline.files.scratch import is_in_use
from lora_pipeline.models import User
from lora_pipeline.operations.retention import Freed

RANGE = re.compile(r"bytes (?:(\d{1,18})-(\d{1,18})|\*)/(\d{1,18})")
PIECE_BYTES = 1024 * 1024
WHOLE = ".whole"
# What is collected here, by uploads, tasks and Django; not a disk's own lost+found.
OURS = re.compile(r".*\.(part|whole|scratch)|tmp.*")


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

    What is answered is on the disk. Raises Refusal with the current offset when the
    chunk starts elsewhere, while another is being received, or when the disk is full.
    Bytes received before a dropped connection are kept.
    """
    with _locked(dataset) as file:
        offset = file.seek(0, os.SEEK_END)
        if piece.start is not None:
            if piece.start != offset:
                raise _elsewhere(piece.start, offset)
            assert piece.end is not None  # noqa: S101 - a piece has both ends or none; for mypy
            _receive(stream, file, offset, piece.end - piece.start + 1)
            offset = file.tell()
        if offset < dataset.file_size or not dataset.file_size:
            dataset.save(update_fields=["updated_at"])  # it is not abandoned
            return dataset
        return _finish(dataset, Path(file.name))


def _finish(dataset: Dataset, part: Path) -> Dataset:
    """Store the whole file; the part goes only once a row says that it is stored.

    So whatever fails, the upload can be finished by asking again where it stands.
    """
    whole = part.with_suffix(WHOLE)
    whole.unlink(missing_ok=True)
    try:
        os.link(part, whole)
    except OSError:  # a file system without links
        shutil.copyfile(part, whole)
    dataset.storage_bucket = settings.S3_BUCKET or LOCAL
    dataset.storage_path = f"datasets/{dataset.pk}/original"
    try:
        replace_stored(dataset.storage_path, str(whole))
    finally:
        whole.unlink(missing_ok=True)
    with undone_if_refused(partial(default_storage.delete, dataset.storage_path)):
        begin_check(dataset)
    part.unlink(missing_ok=True)
    return dataset


def _receive(stream: IO[bytes], file: IO[bytes], offset: int, length: int) -> None:
    """Append a chunk. A full disk takes it back, so that it is not kept full."""
    try:
        _copy(stream, file, length)
    except OSError as error:
        os.ftruncate(file.fileno(), offset)
        if is_disk_full(error):
            raise _disk_full(offset) from error
        raise
    if not offset:
        sync_path(Path(file.name).parent)


def _copy(stream: IO[bytes], file: IO[bytes], length: int) -> None:
    left = length
    while left:
        try:
            found = stream.read(min(left, PIECE_BYTES))
        except OSError:
            found = b""
        if not found:
            sync(file)
            words = (
                f"The connection dropped {left:,} bytes early. Resume from the offset."
            )
            raise Refusal(words, code="incomplete", details={"offset": file.tell()})
        _write(file, found)
        left -= len(found)
    sync(file)


def _write(file: IO[bytes], content: bytes) -> None:
    """Write all of it: an unbuffered file may take less at once, as a disk fills."""
    view = memoryview(content)
    while view:
        view = view[file.write(view) :]


@contextmanager
def _locked(dataset: Dataset) -> Iterator[IO[bytes]]:
    _require_uploading(dataset)
    with part_path(dataset).open("ab", buffering=0) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            words = "Another chunk of this upload is being received. Try again shortly."
            raise Refusal(words, status_code=409, code="busy") from error
        dataset.refresh_from_db()
        _require_uploading(dataset)
        yield file


def _require_uploading(dataset: Dataset) -> None:
    if dataset.status != Dataset.Status.UPLOADING:
        words = "This upload is already complete."
        raise Refusal(words, status_code=409, code="complete")


def _disk_full(offset: int) -> Refusal:
    words = (
        "The console's disk is full, so this chunk was not kept. Everything before it "
        "is: resume from the offset once an operator has made room."
    )
    return Refusal(words, status_code=507, code="disk_full", details={"offset": offset})


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
    """Remove uploads abandoned since then, and leftover files of ours.

    What somebody is sending, or can still go on with, stays, and so does every file
    that no program of ours names.
    """
    freed = Freed("unfinished uploads")
    uploading = Dataset.objects.filter(status=Dataset.Status.UPLOADING)
    for dataset in uploading.filter(updated_at__lt=before):
        path = part_path(dataset)
        if not _is_needed(path, before):
            freed.add(_remove(path, dry_run))
            if not dry_run:
                default_storage.delete(f"datasets/{dataset.pk}/original")
                dataset.delete()
    going_on = {part_path(dataset).name for dataset in uploading.only("pk")}
    for left in Path(settings.UPLOAD_DIR).iterdir():
        is_spare = OURS.fullmatch(left.name) and left.name not in going_on
        if is_spare and not _is_needed(left, before):
            freed.add(_remove(left, dry_run))
    return freed


def _is_needed(path: Path, before: datetime) -> bool:
    """Whether it was written to since then, or is locked by who writes to it now."""
    if path.is_dir():
        return path.stat().st_mtime >= before.timestamp() or is_in_use(path)
    try:
        with path.open("rb") as file:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            return os.fstat(file.fileno()).st_mtime >= before.timestamp()
    except BlockingIOError:
        return True
    except FileNotFoundError:
        return False


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
