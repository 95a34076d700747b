"""Streams rows out of a JSON document of any size."""

import re
from collections.abc import Iterator

STRUCTURE = re.compile(rb'["\[\]{}]')
TEXT = re.compile(rb'[^"\\]*+(?:\\[\s\S][^"\\]*+)*+')
BETWEEN = b" \t\r\n,"
LONGEST_NAME = 200


class DocumentRows:
    """Feed it chunks of a document; it yields (line, bytes) for every row.

    Only strings and brackets are parsed: the content of a row is validated elsewhere.
    `inside` is `values`, `array`, or the name of a member whose array holds the rows.
    A row longer than `max_bytes` is yielded as None instead of its bytes.
    """

    def __init__(self, inside: str, *, max_bytes: int) -> None:
        self._member = b"" if inside in ("values", "array") else inside.encode()
        self._depth_of_rows = {"values": 0, "array": 1}.get(inside, 2)
        self._in_rows = inside == "values"
        self._max_bytes = max_bytes
        self._buffer = b""
        self._position = 0
        self._counted = 0
        self._line = 1
        self._depth = 0
        self._in_text = False
        self._text_start = 0
        self._last_text = b""
        self._row_start: int | None = None
        self._row_line = 1
        self._too_long = False
        self._gap_start = 0

    def feed(self, piece: bytes) -> Iterator[tuple[int, bytes | None]]:
        """The rows that end in this chunk."""
        self._trim()
        self._buffer += piece
        while self._step():
            yield from self._after_step()
        if self._row_start is not None:
            self._too_long |= self._position - self._row_start > self._max_bytes
        elif self._in_rows and self._position - self._gap_start > self._max_bytes:
            if self._buffer[self._gap_start : self._position].strip(BETWEEN):
                yield self._line_at(self._position), None
            self._gap_start = self._position

    def finish(self) -> Iterator[tuple[int, bytes | None]]:
        """What was still open at the end of the document."""
        if self._row_start is not None:
            yield self._row_line, self._buffer[self._row_start :] or None
        elif self._depth:
            yield self._line_at(len(self._buffer)), b""
        else:
            yield from self._gap(len(self._buffer))

    def _trim(self) -> None:
        """Drop the bytes that no open row, string or gap needs."""
        keep = self._position
        if self._row_start is not None:
            keep = self._position if self._too_long else self._row_start
        elif self._in_rows:
            keep = self._gap_start
        if self._in_text and self._position - self._text_start < LONGEST_NAME:
            keep = min(keep, self._text_start)
        self._line_at(keep)
        self._buffer = self._buffer[keep:]
        self._position -= keep
        self._counted -= keep
        self._text_start -= keep
        self._gap_start = max(self._gap_start - keep, 0)
        if self._row_start is not None:
            self._row_start = 0 if self._too_long else self._row_start - keep

    def _step(self) -> bool:
        """Move past the next bracket or end of string; False at the end."""
        if self._in_text:
            found = TEXT.match(self._buffer, self._position)
            assert found is not None  # noqa: S101 - TEXT also matches nothing at all; for mypy
            self._position = found.end()
            if self._buffer[self._position : self._position + 1] != b'"':
                return False
            start = max(self._text_start, 0)
            self._last_text = self._buffer[start : self._position][:LONGEST_NAME]
            self._in_text = False
            self._position += 1
            return True
        found = STRUCTURE.search(self._buffer, self._position)
        if found is None:
            self._position = len(self._buffer)
            return False
        self._position = found.end()
        if self._buffer[found.start() : found.end()] == b'"':
            self._in_text = True
            self._text_start = self._position
        return True

    def _after_step(self) -> Iterator[tuple[int, bytes | None]]:
        sign = self._buffer[self._position - 1 : self._position]
        if self._in_text or sign == b'"':
            return
        if sign in (b"[", b"{"):
            yield from self._opened(sign)
        else:
            yield from self._closed()

    def _opened(self, sign: bytes) -> Iterator[tuple[int, bytes | None]]:
        if self._in_rows and self._depth == self._depth_of_rows:
            yield from self._gap(self._position - 1)
            self._row_start = self._position - 1
            self._row_line = self._line_at(self._row_start)
            self._too_long = False
        self._depth += 1
        if self._row_start is None and self._depth == self._depth_of_rows:
            begins = not self._member or self._last_text == self._member
            if sign == b"[" and begins:
                self._in_rows = True
                self._gap_start = self._position

    def _closed(self) -> Iterator[tuple[int, bytes | None]]:
        self._depth = max(self._depth - 1, 0)
        if self._row_start is not None and self._depth == self._depth_of_rows:
            row = self._buffer[self._row_start : self._position]
            too_long = self._too_long or len(row) > self._max_bytes
            yield self._row_line, None if too_long else row
            self._row_start = None
            self._gap_start = self._position
        elif self._in_rows and self._depth < self._depth_of_rows:
            yield from self._gap(self._position - 1)
            self._in_rows = False

    def _gap(self, end: int) -> Iterator[tuple[int, bytes | None]]:
        """Stray content between two rows: yielded as a row so that it is rejected."""
        if not self._in_rows and self._depth_of_rows:
            return
        rest = self._buffer[self._gap_start : end].strip(BETWEEN)
        if rest:
            yield self._line_at(end), rest[: self._max_bytes]
        self._gap_start = end

    def _line_at(self, position: int) -> int:
        """Line of a position in the buffer; counts on from the previous call."""
        if position > self._counted:
            self._line += self._buffer.count(b"\n", self._counted, position)
            self._counted = position
        return self._line
