"""Detects a file's layout from its first bytes."""

import csv
import io
from collections.abc import Callable
from dataclasses import dataclass

import msgspec

from datasets.domain.document import Broken, Document, Plan, Refused
from datasets.domain.faults import Fault, clean
from datasets.domain.formats.declared import COLUMNS, known
from datasets.domain.formats.parts import folded
from datasets.domain.survey import VALUES, survey

HEAD_BYTES = 256 * 1024
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
ARCHIVES = {
    b"PK\x03\x04": "a zip archive (or an office document)",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"\xfd7zXZ": "an xz archive",
    b"BZh": "a bzip2 archive",
    b"\x28\xb5\x2f\xfd": "a zstandard archive",
    b"%PDF": "a PDF document",
    b"Rar!": "a rar archive",
}
FOREIGN = {
    b"ARROW1": "an Arrow file",
    b"\xff\xff\xff\xff": "an Arrow stream (save_to_disk of the datasets library)",
    b"SQLite format 3": "an SQLite database",
    b"\x80\x04\x95": "a Python pickle",
    b"\x80\x05\x95": "a Python pickle",
    b"Obj\x01": "an Avro file",
    b"ORC": "an ORC file",
    b"\x93NUMPY": "a NumPy file",
    b"<!DOCTYPE": "a web page",
    b"<html": "a web page",
    b"<?xml": "an XML document",
}
DELIMITERS = ",;\t|"
COMPLETE_LINES = 20
SURVEYED_ROW_BYTES = 10 * 1024 * 1024


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """`container` is jsonl, json, csv or parquet.

    `plan` says where a JSON document keeps its rows. `delimiter` applies to CSV, whose
    table begins behind `skipped` lines.
    """

    container: str
    plan: Plan = VALUES
    delimiter: str = ","
    skipped: int = 0


def find_layout(head: bytes, read: Callable[[], bytes]) -> Layout | Fault:
    """The layout of an uncompressed file, from its first HEAD_BYTES.

    `read` gives the file's bytes from its beginning, piece by piece: a document whose
    first rows come later is read on until they are found.
    """
    if head.startswith(b"PAR1"):
        return Layout(container="parquet")
    if refused := _refused(head):
        return refused
    text = head.removeprefix(BYTE_ORDER_MARK).lstrip()
    if not text:
        return Fault(kind="empty_file")
    if text[:1] in (b"[", b"{"):
        return _json_layout(text, read, whole=len(head) < HEAD_BYTES)
    return _csv_layout(text)


def _refused(head: bytes) -> Fault | None:
    if head.startswith(b"\x1f\x8b"):
        return Fault(kind="nested_gzip")
    for magic, words in FOREIGN.items():
        if head.startswith(magic):
            return Fault(kind="foreign_file", found=f"the file is {words}")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or b"\x00" in head[:2]:
        return Fault(kind="utf16")
    for magic, words in ARCHIVES.items():
        if head.startswith(magic):
            return Fault(kind="archive", found=f"the file is {words}")
    return None


def _json_layout(text: bytes, read: Callable[[], bytes], *, whole: bool) -> Layout:
    """JSON Lines when lines are complete values, else one or more documents."""
    pieces = text.split(b"\n")
    lines = [line for line in pieces if line.strip()]
    complete = [line for line in (pieces if whole else pieces[:-1]) if line.strip()]
    valid = [_is_value(line) for line in complete[:COMPLETE_LINES]]
    if (len(lines) > 1 or not whole) and (valid[:1] == [True] or sum(valid) > 1):
        return Layout(container="jsonl")
    try:
        plan = survey(Document(read, max_bytes=SURVEYED_ROW_BYTES))
    except (Broken, Refused):
        return _broken_layout(text, complete, any(valid))
    if plan is VALUES and len(lines) == 1 and _is_one(text):
        return Layout(container="jsonl")
    if plan is VALUES and len(complete) > 1 and _all_open(complete):
        return Layout(container="jsonl")
    return Layout(container="json", plan=plan)


def _broken_layout(text: bytes, complete: list[bytes], any_valid: bool) -> Layout:
    """A file that is no JSON: by lines where it looks like lines."""
    if any_valid or _all_open(complete) or (len(complete) == 1 and text[:1] == b"{"):
        return Layout(container="jsonl")
    inside = "array" if text[:1] == b"[" else "values"
    return Layout(container="json", plan=Plan(inside=inside))


def _all_open(lines: list[bytes]) -> bool:
    return bool(lines) and all(line.lstrip()[:1] == b"{" for line in lines)


def _is_one(text: bytes) -> bool:
    return _is_value(text.strip()) or (b"}{" not in text and b"}\r{" not in text)


def _is_value(line: bytes) -> bool:
    """Whether a line is a row: an object or array at its beginning, complete."""
    if line[:1] not in (b"{", b"[") or len(line.strip()) < 3:
        return False
    try:
        msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False
    return True


def _csv_layout(text: bytes) -> Layout | Fault:
    skipped = 0
    lines = text.replace(b"\r\n", b"\n").replace(b"\r", b"\n").split(b"\n")
    given = ""
    if lines[0].lower().startswith(b"sep=") and len(lines) > 1:
        given = lines[0][4:5].decode("latin-1") or "\t"
        skipped = 1
    first = lines[skipped].decode("utf-8", "replace")
    best = given or max(DELIMITERS, key=lambda sign: _columns_known(first, sign))
    names = {folded(name) for name in _cells(first, best)}
    if COLUMNS & names or _is_table(lines[skipped : skipped + 5], best):
        return Layout(container="csv", delimiter=best, skipped=skipped)
    seen = f"the file starts with {clean(first[:80])!r}"
    advice = f"Upload JSON Lines, JSON, CSV or Parquet with rows in one of: {known()}."
    return Fault(kind="unknown_format", found=seen, advice=advice)


def _columns_known(first: str, sign: str) -> tuple[int, int]:
    cells = _cells(first, sign)
    return sum(folded(cell) in COLUMNS for cell in cells), len(cells)


def _cells(line: str, delimiter: str) -> list[str]:
    try:
        return next(csv.reader(io.StringIO(line), delimiter=delimiter), [])
    except csv.Error:
        return []


def _is_table(lines: list[bytes], delimiter: str) -> bool:
    """Whether lines look like a table of unknown columns: equally many cells."""
    counts = [
        len(_cells(line.decode("utf-8", "replace"), delimiter))
        for line in lines
        if line.strip()
    ]
    return len(counts) > 1 and counts[0] > 1 and len(set(counts)) == 1
