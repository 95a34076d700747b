"""Turns the rows of a file into examples and collects their errors."""

import json
from collections.abc import Iterable, Iterator
from typing import Any

from datasets.domain.document import Document, Plan
from datasets.domain.faults import Fault, keys, shown
from datasets.domain.formats.assemble import Read, read_parts
from datasets.domain.formats.chains import MessageRows, Parents
from datasets.domain.formats.declared import (
    CHAT_KEY,
    Format,
    detect,
    known,
)
from datasets.domain.formats.parts import Part
from datasets.domain.formats.refused import (
    columns_as_rows,
    current_branch,
    is_columns,
    refused_by_name,
)
from datasets.domain.parse import BLANK, Parsed, parse

PAIRS = "training_pairs"
VIEWER_KEYS = {"row", "row_idx", "truncated_cells"}


class RowReader:
    """Reads the rows of one file; the first recognised row sets the format.

    `format` may be given beforehand: that of the dataset's other file, or one made by
    hand. `chosen_only`: of preference data the preferred answers, as examples.
    """

    def __init__(
        self, format: Format | None = None, *, chosen_only: bool = False
    ) -> None:
        self.format = format
        self.rows = 0
        self.unread = 0
        self._chosen_only = chosen_only
        self._messages = MessageRows()
        self._parents = Parents()

    def read_all(self, items: Iterable[tuple[int, Any]]) -> Iterator[Read]:
        """What each item gives, and what is open at the end."""
        for line, item in items:
            yield self.read(line, item)
        yield self.finish()

    def read(self, line: int, item: Any) -> Read:
        """The examples of one item: JSON bytes, values, or an error passed through."""
        self.rows += 1
        if isinstance(item, Fault):
            return Read(faults=[item])
        if isinstance(item, Parsed):
            parsed: Parsed | Fault = item
        else:
            parsed = parse(line, item) if isinstance(item, bytes) else Parsed(item)
        if isinstance(parsed, Fault):
            return Read(faults=[parsed])
        value = parsed.value
        if value is BLANK or (self.rows == 1 and is_meta(value)):
            self.rows -= 1
            return Read()
        read = self._read_value(line, value, parsed.raw)
        if parsed.doubt is not None:
            read = _doubted(read, parsed.doubt)
        if parsed.mark is not None:
            read.faults.insert(0, parsed.mark)
        return read

    def finish(self) -> Read:
        """What the last rows leave open."""
        return self._messages.finish()

    def _read_value(self, line: int, value: Any, raw: bytes = b"") -> Read:
        if isinstance(value, dict):
            if isinstance(value.get(PAIRS), list):
                pairs = _pairs(value, line)
                return self._read_inner(_lines_of_pairs(line, raw, len(pairs)), pairs)
            if isinstance(value.get("row"), dict) and value.keys() <= VIEWER_KEYS:
                return self._read_viewer(line, value)
            if self.rows == 1 and _is_table(value):
                rows = columns_as_rows(value)
                return self._read_inner([line] * len(rows), rows)
        value = unwrapped(value)
        if isinstance(value, list) and value and all(map(_is_row, value)):
            return self._read_inner([line] * len(value), value)
        if self.format is None and isinstance(value, dict):
            if named := refused_by_name(line, value):
                return Read(faults=[named])
            self.format = detect(value)
        if self.format is None:
            self.unread += 1
            return Read(faults=[unknown(line, value)])
        return self._read_row(line, value, self.format)

    def _read_row(self, line: int, row: Any, format: Format) -> Read:
        if isinstance(row, dict) and format.fits(row, filled=False):
            if format.name == "message_rows":
                return self._messages.add(line, row, format)
            if "parent_id" in row and not format.by_hand:
                row, fault = self._parents.with_history(line, row, format)
                if fault is not None:
                    return Read(faults=[fault])
            return read_parts(line, row, format, chosen_only=self._chosen_only)
        return read_row(line, row, format, chosen_only=self._chosen_only)

    def _read_inner(self, lines: list[int], rows: list[Any]) -> Read:
        """The rows inside one item, each with its line."""
        self.rows -= 1
        found = Read()
        for line, row in zip(lines, rows, strict=True):
            self.rows += 1
            read = self._read_value(line, row)
            found.examples += read.examples
            found.faults += read.faults
            found.unused += read.unused
        return found

    def _read_viewer(self, line: int, value: dict[str, Any]) -> Read:
        """A row as the hub's viewer gives it, which may have cut its cells."""
        cut = value.get("truncated_cells")
        if cut:
            words = f"the viewer cut {shown(cut[0])}"
            fault = Fault(kind="cut_cells", line=line, found=words)
            return Read(faults=[fault])
        return self._read_value(line, value["row"])


def is_meta(row: Any) -> bool:
    """The first line of a BrightRun v5 file, which describes the rest."""
    return isinstance(row, dict) and len(row) == 1 and "_meta" in row


def read_row(
    line: int, row: Any, expected: Format, *, chosen_only: bool = False
) -> Read:
    """The examples of one row in the file's format, and all its errors."""
    row = unwrapped(row)
    if not isinstance(row, dict):
        found = shown(row)
        return Read(faults=[Fault(kind="not_an_object", line=line, found=found)])
    if expected.fits(row, filled=False):
        return read_parts(line, row, expected, chosen_only=chosen_only)
    other = detect(row)
    if other is not None and other is not expected:
        found = f"this row is {other.title}, but the file started as {expected.title}"
        return Read(faults=[Fault(kind="mixed_formats", line=line, found=found)])
    if named := refused_by_name(line, row):
        return Read(faults=[named])
    has = {key.casefold() for key in row}
    names = next((n for _, n in expected.needs if not has & set(n)), ("label",))
    found = f"the row has {keys(row)}" if row else "the row is empty"
    fault = Fault(kind="missing_field", line=line, field=names[0], found=found)
    return Read(faults=[fault])


def unwrapped(value: Any) -> Any:
    """A row without what is around it: bare lists of messages, ChatGPT's export."""
    if isinstance(value, list) and value and are_messages(value):
        return {CHAT_KEY: value}
    if isinstance(value, dict) and "mapping" in value:
        branch = current_branch(value)
        if branch is not None:
            left = {k: v for k, v in value.items() if k != "mapping"}
            return {**left, CHAT_KEY: branch}
    return value


def are_messages(value: list[Any]) -> bool:
    """Whether a list is one conversation: objects with a role and content."""
    return all(
        isinstance(m, dict) and ("role" in m or "from" in m)
        and ("content" in m or "value" in m or "parts" in m or "tool_calls" in m)
        for m in value
    )  # fmt: skip


def _pairs(conversation: dict[str, Any], position: int) -> list[Any]:
    """The training pairs of one conversation of a BrightRun v4 document.

    The outer id identifies the conversation: the id inside the pairs names the type of
    conversation, which several share.
    """
    facts = conversation.get("conversation_metadata")
    name = facts.get("conversation_id") if isinstance(facts, dict) else None
    name = str(name or f"#{position}")
    return [
        pair | {"conversation_id": name} if isinstance(pair, dict) else pair
        for pair in conversation[PAIRS]
    ]


def _lines_of_pairs(line: int, raw: bytes, count: int) -> list[int]:
    """Where in the file each training pair of a conversation starts."""
    pieces = iter([raw])
    document = Document(lambda: next(pieces, b""), max_bytes=len(raw) + 1)
    plan = Plan(inside="members", members=(PAIRS,))
    lines = [line + at - 1 for at, _, _ in document.rows(plan)] if raw else []
    return lines if len(lines) == count else [line] * count


def _is_table(value: dict[str, Any]) -> bool:
    """Whether a document's only object holds columns, and is no conversation."""
    if not is_columns(value):
        return False
    found = detect(value)
    return found is None or all(part is not Part.MESSAGES for part, _ in found.needs)


def _is_row(value: Any) -> bool:
    return isinstance(value, dict) and detect(value) is not None


def _doubted(read: Read, doubt: Fault) -> Read:
    """A row that strict JSON refuses: taken where nothing of that is in the example."""
    if any(fault.is_error for fault in read.faults) or not _is_sound(read):
        return Read(faults=[doubt])
    kind = {"not_a_number": "unused_number", "lone_surrogate": "unused_surrogate"}
    warning = Fault(kind=kind[doubt.kind], line=doubt.line, found=doubt.found)
    read.faults.append(warning)
    return read


def _is_sound(read: Read) -> bool:
    """Whether the examples can be written as strict JSON."""
    try:
        for made in read.examples:
            held = [made.messages, made.tools, made.rejected]
            json.dumps(held, allow_nan=False, ensure_ascii=False).encode()
    except ValueError:
        return False
    return True


def unknown(line: int, value: Any) -> Fault:
    """The error for a row of no format, by its own name where that is known."""
    if isinstance(value, dict) and (named := refused_by_name(line, value)):
        return named
    if isinstance(value, list) and value:
        found = "rows are lists of values without names (pandas' orient='values')"
        advice = "Export with orient='records', so that each value has its key."
        return Fault(kind="known_unread", line=line, found=found, advice=advice)
    seen = (
        f"a row with the keys {keys(value)}"
        if isinstance(value, dict) and value
        else shown(value)
    )
    advice = f"Say which column is what, or convert the rows. Supported: {known()}."
    return Fault(kind="unknown_format", line=line, found=seen, advice=advice)
