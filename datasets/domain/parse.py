"""The JSON value of a row, with errors in words that say where and what to do."""

import json
import re
from dataclasses import dataclass
from typing import Any

import msgspec

from datasets.domain.faults import Fault, clean

BLANK = object()
BYTE_ORDER_MARK = b"\xef\xbb\xbf"
NO_NUMBER = re.compile(rb"[\[:,]\s*(-?(?:NaN|Infinity|inf|nan))\b")
HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")
PYTHON = re.compile(rb"^\s*[\[{]\s*'|[:,]\s*(?:True|False|None)\b")
LOOKED_AT = 4000
_decode = msgspec.json.Decoder().decode


@dataclass(slots=True)
class Parsed:
    """A row's value; `doubt` is what strict JSON has against it, harmless if unused."""

    value: Any
    doubt: Fault | None = None
    mark: Fault | None = None
    raw: bytes = b""


def parse(line: int, raw: bytes, *, column: int = 1) -> Parsed | Fault:
    """The value of a row's bytes (BLANK for white space), or why there is none.

    `line` and `column` are where the row begins.
    """
    try:
        return Parsed(_decode(raw))
    except RecursionError:
        return Fault(kind="too_deep", line=line)
    except (msgspec.DecodeError, msgspec.ValidationError, UnicodeError):
        return _parse_again(line, raw, column)


def _parse_again(line: int, raw: bytes, column: int) -> Parsed | Fault:
    if not raw.strip():
        return Parsed(BLANK)
    if raw.startswith(BYTE_ORDER_MARK):
        again = parse(line, raw[len(BYTE_ORDER_MARK) :])
        if isinstance(again, Parsed):
            again.mark = Fault(kind="byte_order_mark", line=line)
        return again
    try:
        text = raw.decode("utf-8").rstrip()
    except UnicodeDecodeError as error:
        found = f"byte {error.start + 1} of the row is {raw[error.start]:#04x}"
        return Fault(kind="not_utf8", line=line, found=found)
    try:
        value = json.loads(text)
    except RecursionError:
        return Fault(kind="too_deep", line=line)
    except ValueError as error:
        return _broken(line, raw, text, error, column)
    return Parsed(value, _doubt(line, raw))


def _doubt(line: int, raw: bytes) -> Fault:
    """What Python reads although no strict reader does."""
    if found := NO_NUMBER.search(raw):
        return Fault(kind="not_a_number", line=line, found=found.group(1).decode())
    if HALF_PAIR.search(raw):
        return Fault(kind="lone_surrogate", line=line)
    return Fault(kind="not_a_number", line=line, found="a number out of range")


def _broken(line: int, raw: bytes, text: str, error: ValueError, column: int) -> Fault:
    where, words = "", str(error)
    if isinstance(error, json.JSONDecodeError):
        column = error.colno if error.lineno > 1 else column + error.colno - 1
        line = line + error.lineno - 1
        where, words = f" at column {column:,}", error.msg.removesuffix(" at")
    begins = clean(text[:40].strip())
    if PYTHON.search(raw[:LOOKED_AT]):
        return Fault(kind="python_literal", line=line, found=repr(begins))
    rest = raw.strip()
    if rest.endswith(b",") and words == "Extra data":
        found = f"the row ends with a comma, in {begins!r}"
        advice = "Remove the commas between the rows, or put [ and ] around them all."
        return Fault(kind="broken_json", line=line, found=found, advice=advice)
    if HALF_PAIR.search(raw) and "escape" in words:
        return Fault(kind="lone_surrogate", line=line)
    if isinstance(error, json.JSONDecodeError) and error.pos >= len(text):
        words = f"truncated ({words})"
    found = f"{words}{where}, in {begins!r}"
    return Fault(kind="broken_json", line=line, found=found)
