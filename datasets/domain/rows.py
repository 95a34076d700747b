"""Turns the rows of a file into examples and collects their errors."""

import math
import re
from typing import Any

import msgspec

from datasets.domain import brightrun
from datasets.domain.document import DocumentRows
from datasets.domain.faults import Fault, clean, keys, shown
from datasets.domain.formats import Format, Read, detect, known, read_row

_decode = msgspec.json.Decoder().decode
NO_NUMBER = re.compile(rb"[\[:,]\s*(-?(?:NaN|Infinity|inf|nan))\b")
HALF_PAIR = re.compile(rb"\\u[dD][89a-fA-F]")


class RowReader:
    """Reads the rows of one file; the first recognised row sets the format."""

    def __init__(self, inside: str = "") -> None:
        self.format: Format | None = None
        self.rows = 0
        self.unread = 0
        self._in_conversations = inside == "conversations"

    def read(self, line: int, item: Any) -> Read:
        """The examples of one item: JSON bytes, values, or an error passed through."""
        self.rows += 1
        if isinstance(item, Fault):
            return [], [item]
        value = parse(line, item) if isinstance(item, bytes) else item
        if isinstance(value, Fault):
            return [], [value]
        if value is BLANK or (self.rows == 1 and brightrun.is_meta(value)):
            self.rows -= 1
            return [], []
        if self._in_conversations:
            return self._read_conversation(line, item, value)
        return self._read_value(line, value)

    @property
    def is_chat(self) -> bool:
        """Whether rows that pass `is_plain` can skip the full checks."""
        return self.format is not None and self.format.name == "openai_chat"

    def _read_value(self, line: int, value: Any) -> Read:
        if self.format is None:
            self.format = detect(value) if isinstance(value, dict) else None
        if self.format is None:
            self.unread += 1
            return [], [_unknown(line, value)]
        return read_row(line, value, self.format)

    def _read_conversation(self, line: int, raw: bytes, value: Any) -> Read:
        self.rows -= 1
        pairs = brightrun.document_rows(value, line)
        if pairs is None:
            found = shown(value)
            fault = Fault(
                kind="missing_field", line=line, field="training_pairs", found=found
            )
            return [], [fault]
        lines = _lines_of_pairs(line, raw, len(pairs))
        examples, faults = [], []
        for at, (pair, name) in zip(lines, pairs, strict=True):
            self.rows += 1
            row = pair | {"conversation_id": name} if isinstance(pair, dict) else pair
            found_examples, found_faults = self._read_value(at, row)
            examples += found_examples
            faults += found_faults
        return examples, faults


BLANK = object()


def parse(line: int, raw: bytes) -> Any:
    """The JSON value of a row, BLANK, or its error."""
    try:
        value = _decode(raw)
    except msgspec.ValidationError:
        return Fault(kind="not_a_number", line=line, found="a number out of range")
    except RecursionError:
        return Fault(kind="too_deep", line=line)
    except (msgspec.DecodeError, UnicodeError) as error:
        return _broken(line, raw, str(error))
    return value


def _broken(line: int, raw: bytes, said: str) -> Any:
    if not raw.strip():
        return BLANK
    try:
        raw.decode("utf-8")
    except UnicodeDecodeError as error:
        found = f"byte {error.start + 1} of the row is {raw[error.start]:#04x}"
        return Fault(kind="not_utf8", line=line, found=found)
    if found_number := NO_NUMBER.search(raw):
        return Fault(
            kind="not_a_number", line=line, found=found_number.group(1).decode()
        )
    if HALF_PAIR.search(raw) and "truncated" in said:
        return Fault(kind="lone_surrogate", line=line)
    words = said.removeprefix("JSON is malformed: ")
    begins = clean(raw[:40].decode("utf-8", "replace").strip())
    return Fault(kind="broken_json", line=line, found=f"{words}, in {begins!r}")


def _unknown(line: int, value: Any) -> Fault:
    seen = (
        f"a row with the keys {keys(value)}"
        if isinstance(value, dict) and value
        else shown(value)
    )
    return Fault(
        kind="unknown_format", line=line, found=seen, advice=f"Supported: {known()}."
    )


def _lines_of_pairs(line: int, raw: bytes, count: int) -> list[int]:
    """Where in the file each training pair starts."""
    scan = DocumentRows("training_pairs", max_bytes=math.inf)  # type: ignore[arg-type]
    lines = [line + at - 1 for at, _ in [*scan.feed(raw), *scan.finish()]]
    return lines if len(lines) == count else [line] * count
