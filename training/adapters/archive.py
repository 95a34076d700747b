"""Validates an adapter archive: a flat PEFT folder with safetensors weights.

Users load what they download, and loading a pickle runs code.
"""

import hashlib
import stat
import zipfile
from collections.abc import Callable
from pathlib import Path, PurePosixPath
from typing import IO

import msgspec

from lora_pipeline.files.unpacking import (
    UnpacksTooLarge,
    opened_member,
    opened_zip,
    unpack_member,
)

WEIGHTS = "adapter_model.safetensors"
NEEDED = {WEIGHTS, "adapter_config.json"}
KINDS = {".safetensors", ".json", ".jinja", ".txt", ".model", ".md"}
CHUNK_BYTES = 1024 * 1024
MOST_FILES = 100
# A safetensors header: 8 bytes of length, then JSON. The format allows 100 MB;
# an adapter of every expert of the largest mixtures has 15.
LENGTH_BYTES = 8
LONGEST_HEADER = 16 * 1024**2
# The largest vocabularies come to 35 MB as a tokenizer.json.
LONGEST_JSON = 64 * 1024**2
# First bytes of a pickle, and of the zip of pickles that torch.save writes.
RUNS_CODE = (b"\x80\x02", b"\x80\x03", b"\x80\x04", b"\x80\x05", b"PK\x03\x04")


class BadArchive(ValueError):
    """The archive is not an adapter or is unsafe; the message names the file."""


def check_archive(file: IO[bytes], *, most_bytes: int) -> str:
    """The SHA-256 of the weights of a valid archive.

    Raises BadArchive. Nothing is extracted to disk.
    """
    try:
        with opened_zip(file) as archive:
            _check_entries(archive.infolist(), most_bytes)
            for entry in archive.infolist():
                with opened_member(archive, entry, most_bytes=most_bytes) as member:
                    _check_content(entry.filename, member)
            found = archive.getinfo(WEIGHTS)
            with opened_member(archive, found, most_bytes=most_bytes) as weights:
                return _sha256(weights)
    except UnpacksTooLarge as error:
        raise BadArchive(f"The archive unpacks to {error}.") from error
    except (zipfile.BadZipFile, NotImplementedError, RuntimeError, EOFError) as error:
        raise BadArchive("The body is not a zip archive.") from error


def unpack_archive(file: IO[bytes], folder: Path, *, most_bytes: int) -> None:
    """Extract a valid archive into a new folder.

    Raises BadArchive: the storage may hold something else than what was checked when
    it came.
    """
    check_archive(file, most_bytes=most_bytes)
    folder.mkdir()
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            unpack_member(archive, name, folder / name, most_bytes=most_bytes)


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
    return _is_valid(member.read(length), b"{")


def _is_json(start: bytes, member: IO[bytes]) -> bool:
    text = start + member.read(LONGEST_JSON)
    return len(text) < LONGEST_JSON and _is_valid(text, b"")


def _is_valid(text: bytes, beginning: bytes) -> bool:
    """Whether it is JSON that begins so. Walked through, never built: as objects of
    Python, JSON takes up to thirty times its size.
    """
    try:
        msgspec.json.decode(text, type=msgspec.Raw)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return False
    return text.lstrip().startswith(beginning) if beginning else True


CHECKS: dict[str, Callable[[bytes, IO[bytes]], bool]] = {
    ".safetensors": _is_safetensors,
    ".json": _is_json,
}


def _sha256(stream: IO[bytes]) -> str:
    digest = hashlib.sha256()
    while chunk := stream.read(CHUNK_BYTES):
        digest.update(chunk)
    return digest.hexdigest()
