"""Validates an adapter archive: a flat PEFT folder with safetensors weights.

Users load what they download, and loading a pickle runs code.
"""

import hashlib
import json
import stat
import zipfile
from collections.abc import Callable
from pathlib import PurePosixPath
from typing import IO, Any

WEIGHTS = "adapter_model.safetensors"
NEEDED = {WEIGHTS, "adapter_config.json"}
KINDS = {".safetensors", ".json", ".jinja", ".txt", ".model", ".md"}
CHUNK_BYTES = 1024 * 1024
MOST_FILES = 100
# A safetensors header: 8 bytes of length, then JSON. The format's own limit.
LENGTH_BYTES = 8
LONGEST_HEADER = 100_000_000
# First bytes of a pickle, and of the zip of pickles that torch.save writes.
RUNS_CODE = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04")


class BadArchive(ValueError):
    """The archive is not an adapter or is unsafe; the message names the file."""


def check_archive(file: IO[bytes], *, most_bytes: int) -> str:
    """The SHA-256 of the weights of a valid archive.

    Raises BadArchive. Nothing is extracted to disk.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            _check_entries(archive.infolist(), most_bytes)
            for entry in archive.infolist():
                with archive.open(entry) as member:
                    _check_content(entry.filename, member)
            with archive.open(WEIGHTS) as weights:
                return _sha256(weights)
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise BadArchive("The body is not a zip archive.") from error


def _check_entries(entries: list[zipfile.ZipInfo], most_bytes: int) -> None:
    names = [entry.filename for entry in entries]
    if missing := NEEDED - set(names):
        raise BadArchive(f"The archive is missing {', '.join(sorted(missing))}.")
    if len(names) > MOST_FILES or len(set(names)) < len(names):
        raise BadArchive(f"The archive has duplicate files, or more than {MOST_FILES}.")
    if unsafe := [entry.filename for entry in entries if not _is_safe(entry)]:
        raise BadArchive(
            f"The archive contains a forbidden file: {unsafe[0][:100]!r}. Allowed are "
            f"files of type {', '.join(sorted(KINDS))}, not in folders."
        )
    if sum(entry.file_size for entry in entries) > most_bytes:
        raise BadArchive(f"Extracted, the archive is larger than {most_bytes:,} bytes.")


def _is_safe(entry: zipfile.ZipInfo) -> bool:
    """Whether it is a top-level file of a data-only type."""
    name, kind = entry.filename, stat.S_IFMT(entry.external_attr >> 16)
    plain = name == PurePosixPath(name).name and "\\" not in name and name.isprintable()
    return plain and kind in {0, stat.S_IFREG} and PurePosixPath(name).suffix in KINDS


def _check_content(name: str, member: IO[bytes]) -> None:
    """Raises BadArchive if the content does not match the file name."""
    start = member.read(LENGTH_BYTES)
    if start.startswith(RUNS_CODE):
        raise BadArchive(f"{name} is a pickle. Only safetensors are accepted.")
    check = CHECKS.get(PurePosixPath(name).suffix)
    if check is not None and not check(start, member):
        raise BadArchive(f"The content of {name} does not match its name.")


def _is_safetensors(start: bytes, member: IO[bytes]) -> bool:
    length = int.from_bytes(start, "little")
    if len(start) < LENGTH_BYTES or not 2 <= length <= LONGEST_HEADER:
        return False
    return isinstance(_parsed(member.read(length)), dict)


def _is_json(start: bytes, member: IO[bytes]) -> bool:
    return _parsed(start + member.read(LONGEST_HEADER)) is not None


def _parsed(text: bytes) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None


CHECKS: dict[str, Callable[[bytes, IO[bytes]], bool]] = {
    ".safetensors": _is_safetensors,
    ".json": _is_json,
}


def _sha256(stream: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := stream.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()
