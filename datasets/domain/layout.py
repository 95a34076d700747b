"""Detects a file's layout from its first bytes."""

import csv
import io
from dataclasses import dataclass

import msgspec

from datasets.domain.faults import Fault, clean
from datasets.domain.formats import FORMATS, known

HEAD_BYTES = 256 * 1024
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
MEMBERS = (b"conversations", b"data", b"examples", b"rows", b"train")
ARCHIVES = {
    b"PK\x03\x04": "a zip archive (or an office document)",
    b"7z\xbc\xaf\x27\x1c": "a 7z archive",
    b"\xfd7zXZ": "an xz archive",
    b"BZh": "a bzip2 archive",
    b"\x28\xb5\x2f\xfd": "a zstandard archive",
    b"%PDF": "a PDF document",
    b"Rar!": "a rar archive",
}
COLUMNS = {key for found in FORMATS for key in found.needs}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """`container` is jsonl, json, csv or parquet.

    `inside` says where a JSON document keeps its rows: `values` (one after another),
    `array`, or the name of a member. `delimiter` applies to CSV.
    """

    container: str
    inside: str = ""
    delimiter: str = ","


def find_layout(head: bytes) -> Layout | Fault:
    """The layout of an uncompressed file, from its first HEAD_BYTES."""
    if head.startswith(b"PAR1"):
        return Layout(container="parquet")
    if refused := _refused(head):
        return refused
    text = head.removeprefix(BYTE_ORDER_MARK).lstrip()
    if not text:
        return Fault(kind="empty_file")
    if text[:1] == b"[":
        return Layout(container="json", inside="array")
    if text[:1] == b"{":
        return _json_layout(text, whole=len(head) < HEAD_BYTES)
    return _csv_layout(text)


def _refused(head: bytes) -> Fault | None:
    if head.startswith(b"\x1f\x8b"):
        return Fault(kind="nested_gzip")
    if head.startswith((b"\xff\xfe", b"\xfe\xff")) or head[1:2] == b"\x00":
        return Fault(kind="utf16")
    for magic, words in ARCHIVES.items():
        if head.startswith(magic):
            return Fault(kind="archive", found=f"the file is {words}")
    return None


def _json_layout(text: bytes, *, whole: bool) -> Layout:
    """JSON Lines when a line is a complete value, else one or more documents."""
    pieces = text.split(b"\n")
    lines = [line for line in pieces if line.strip()]
    complete = [line for line in (pieces if whole else pieces[:-1]) if line.strip()]
    if any(_is_value(line) for line in complete[:20]):
        single = len(lines) == 1 and whole
        if single and (member := _member(text)):
            return Layout(container="json", inside=member)
        return Layout(container="jsonl")
    if member := _member(text):
        return Layout(container="json", inside=member)
    if len(complete) > 1 and all(line.lstrip()[:1] == b"{" for line in complete):
        return Layout(container="jsonl")
    if len(complete) == 1 and len(lines) == 1:
        return Layout(container="jsonl")
    return Layout(container="json", inside="values")


def _is_value(line: bytes) -> bool:
    try:
        msgspec.json.decode(line)
    except (msgspec.DecodeError, RecursionError, UnicodeDecodeError):
        return False
    return True


def _member(text: bytes) -> str:
    """The member of a document that holds the rows; "" if it is a row itself."""
    if b'"training_pairs"' in text and b'"conversations"' in text:
        return "conversations"
    keys = [key for key in MEMBERS[1:] if b'"%s"' % key in text]
    if any(b'"%s"' % column.encode() in text.split(b"[")[0] for column in COLUMNS):
        return ""
    return keys[0].decode() if keys else ""


def _csv_layout(text: bytes) -> Layout | Fault:
    first = text.split(b"\n")[0].decode("utf-8", "replace").strip("\r")
    best = max(",;\t", key=first.count)
    try:
        names = next(csv.reader(io.StringIO(first), delimiter=best), [])
    except csv.Error:
        names = []
    if COLUMNS & {name.strip() for name in names}:
        return Layout(container="csv", delimiter=best)
    seen = f"the file starts with {clean(first[:80])!r}"
    advice = f"Upload JSON Lines, JSON, CSV or Parquet with rows in one of: {known()}."
    return Fault(kind="unknown_format", found=seen, advice=advice)
