"""Reads rows out of a JSON document of any size, as strictly as Python's parser.

What stands around the rows is parsed token by token. Of a row only the end is looked
for, by its brackets and strings; then it is decoded as a whole by msgspec. The first
fault ends the document: behind it, nothing is certain.

ijson does the same with yajl, but says neither line nor column, and takes every token
of every row through Python.
"""

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from datasets.domain.faults import Fault
from datasets.domain.parse import Parsed, parse

SPACE = re.compile(rb"[ \t\r\n]*+")
TEXT = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"', re.DOTALL)
SCALAR = re.compile(rb"[-+.\w\x80-\xff]++")
# From outside of strings up to and with the next bracket.
BRACKET = re.compile(
    rb'[^"\[\]{}]*+(?:"[^"\\]*+(?:\\.[^"\\]*+)*+"[^"\[\]{}]*+)*+([\[\]{}])', re.DOTALL
)
IN_TEXT = re.compile(rb'[^"\\]*+(?:\\.[^"\\]*+)*+', re.DOTALL)
OUT_OF_TEXT = re.compile(rb'[^"\[\]{}]*+')
OPENING = b"[{"
ENDING = ("broken_json", "python_literal")
MOST_MEMBERS = 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where the rows are: `values` one after another, `array`, or `members`.

    `members` are names of arrays in the document's object, or in an object inside it
    (`data.train`); `*` stands for every value of the object.
    """

    inside: str
    members: tuple[str, ...] = ()


class Broken(Exception):
    """The document is no JSON from here on, in the words of Python's parser."""


class Refused(Exception):
    """A value inside that is no JSON; carries the fault, which has its own place."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.found)
        self.fault = fault


class TooLong(Exception):
    """A value that is longer than allowed; it was passed over."""


Row = tuple[int, Parsed | Fault, str]


class Document:
    """Pulls bytes with `read` (empty at the end) and gives rows with their lines.

    `unread` are the names of the members that hold no rows.
    """

    def __init__(self, read: Callable[[], bytes], *, max_bytes: int) -> None:
        self._read = read
        self._max_bytes = max_bytes
        self._buffer = b""
        self._position = 0
        self._line, self._column, self._counted = 1, 1, 0
        self.unread: list[str] = []

    def rows(self, plan: Plan) -> Iterator[Row]:
        """Each row as (line, value or fault, name of its member)."""
        try:
            yield from self._rows(plan)
        except Refused as error:
            yield error.fault.line or 1, error.fault, ""
        except Broken as error:
            line, column = self.place()
            words = f"{error} at column {column:,}"
            yield line, Fault(kind="broken_json", line=line, found=words), ""

    def _rows(self, plan: Plan) -> Iterator[Row]:
        if plan.inside == "values":
            while self.next_sign():
                yield from self._row("")
            return
        if plan.inside == "array":
            yield from self._elements("")
        else:
            yield from self._members(plan, "")
        if self.next_sign():
            raise Broken("Extra data")

    def _members(self, plan: Plan, path: str) -> Iterator[Row]:
        for name in self.names():
            inner = f"{path}.{name}" if path else name
            sign = self.next_sign()
            if inner in plan.members and sign == b"[":
                yield from self._elements(inner)
            elif plan.members == ("*",):
                yield from self._row("*")
            elif sign == b"{" and any(m.startswith(f"{inner}.") for m in plan.members):
                yield from self._members(plan, inner)
            else:
                self.skip()
                if len(self.unread) < MOST_MEMBERS:
                    self.unread.append(inner)

    def _elements(self, member: str) -> Iterator[Row]:
        for _ in self.elements():
            yield from self._row(member)

    def _row(self, member: str) -> Iterator[Row]:
        line, column = self.place()
        try:
            raw = self.take()
        except TooLong:
            size = f"over {self._max_bytes:,} bytes; at most {self._max_bytes:,}"
            yield line, Fault(kind="row_too_long", line=line, found=size), member
            return
        found = parse(line, raw, column=column)
        if isinstance(found, Parsed):
            found.raw = raw
        if isinstance(found, Fault) and found.kind in ENDING:
            raise Refused(found)
        yield line, found, member

    # Tokens

    def names(self) -> Iterator[str]:
        """The names of an object's members; whoever asks consumes each value."""
        self._expect(b"{", "Expecting value")
        if self._passed(b"}"):
            return
        while True:
            yield self._name()
            if self._passed(b"}"):
                return
            self._expect(b",", "Expecting ',' delimiter")

    def elements(self) -> Iterator[int]:
        """The numbers of an array's elements; whoever asks consumes each one."""
        self._expect(b"[", "Expecting value")
        if self._passed(b"]"):
            return
        number = 0
        while True:
            self.next_sign()
            yield number
            number += 1
            if self._passed(b"]"):
                return
            self._expect(b",", "Expecting ',' delimiter")

    def next_sign(self) -> bytes:
        """The next character that is no white space, without passing it."""
        while True:
            found = SPACE.match(self._buffer, self._position)
            self._position = found.end() if found else self._position
            if self._position < len(self._buffer):
                return self._buffer[self._position : self._position + 1]
            if not self._more():
                return b""

    def take(self) -> bytes:
        """The bytes of the next value. Raises TooLong, past it."""
        sign = self.next_sign()
        if sign and sign in OPENING:
            return self._take_brackets()
        raw = self._token(TEXT if sign == b'"' else SCALAR, sign)
        return raw

    def skip(self) -> None:
        """Pass a value of any size, as strictly as if it were used.

        What one of its elements has beyond the longest row is passed unread.
        """
        sign = self.next_sign()
        if sign == b"{":
            for _ in self.names():
                self._skip_small()
        elif sign == b"[":
            for _ in self.elements():
                self._skip_small()
        else:
            self._checked(self.take())

    def _skip_small(self) -> None:
        line, column = self.place()
        try:
            found = parse(line, self.take(), column=column)
        except TooLong:
            return
        if isinstance(found, Fault) and found.kind == "broken_json":
            raise Refused(found)

    def place(self) -> tuple[int, int]:
        """Line and column of the position, counted from 1."""
        if self._position > self._counted:
            passed = self._buffer[self._counted : self._position]
            lines = passed.count(b"\n")
            self._line += lines
            last = passed[passed.rfind(b"\n") + 1 :] if lines else passed
            self._column = (1 if lines else self._column) + len(
                last.decode("utf-8", "replace")
            )
            self._counted = self._position
        return self._line, self._column

    def _name(self) -> str:
        if self.next_sign() != b'"':
            raise Broken("Expecting property name enclosed in double quotes")
        name = self._checked(self._token(TEXT, b'"'))
        self._expect(b":", "Expecting ':' delimiter")
        self.next_sign()
        return str(name)

    def _checked(self, raw: bytes) -> Any:
        """A scalar's value. Raises Broken at its beginning."""
        try:
            return json.loads(raw)
        except (ValueError, UnicodeError) as error:
            self._position -= len(raw)
            words = error.msg if isinstance(error, json.JSONDecodeError) else str(error)
            raise Broken(words) from error

    def _expect(self, sign: bytes, words: str) -> None:
        if not self._passed(sign):
            at_end = self.next_sign() == b""
            raise Broken(f"{words}: the document is truncated" if at_end else words)

    def _passed(self, sign: bytes) -> bool:
        if self.next_sign() != sign:
            return False
        self._position += 1
        return True

    def _token(self, shape: re.Pattern[bytes], sign: bytes) -> bytes:
        """A string or scalar, which may go on in the next piece."""
        while True:
            found = shape.match(self._buffer, self._position)
            if found and (shape is TEXT or found.end() < len(self._buffer)):
                break
            if len(self._buffer) - self._position > self._max_bytes:
                raise Broken("a token too long to be read")
            if not self._more():
                break
        if found is None:
            if not sign:
                raise Broken("Expecting value: the document is truncated")
            is_text = shape is TEXT
            raise Broken("Unterminated string" if is_text else "Expecting value")
        self.place()
        self._position = found.end()
        return found.group()

    def _take_brackets(self) -> bytes:
        self.place()
        start, at, depth = self._position, self._position, 0
        while True:
            found = BRACKET.match(self._buffer, at)
            if found is None:
                if len(self._buffer) - start > self._max_bytes:
                    self._position = at
                    self._drop(depth)
                    raise TooLong
                kept = self._position
                if not self._more():
                    self._position = len(self._buffer)
                    return self._buffer[start:]
                moved = kept - self._position
                start, at = start - moved, at - moved
                continue
            at = found.end()
            depth += 1 if found.group(1) in OPENING else -1
            if not depth:
                self._position = at
                if at - start > self._max_bytes:
                    raise TooLong
                return self._buffer[start:at]

    def _drop(self, depth: int) -> None:
        """Pass the rest of a value of which `depth` brackets are open."""
        in_text = False
        while depth:
            shape = IN_TEXT if in_text else OUT_OF_TEXT
            found = shape.match(self._buffer, self._position)
            self._position = found.end() if found else self._position
            sign = self._buffer[self._position : self._position + 1]
            if not sign or sign == b"\\":
                if not self._more():
                    raise Broken("Expecting value: the document is truncated")
                continue
            self._position += 1
            if sign == b'"':
                in_text = not in_text
            else:
                depth += 1 if sign in OPENING else -1

    def _more(self) -> bool:
        """Read another piece; what was passed is let go."""
        self.place()
        piece = self._read()
        if not piece:
            return False
        self._buffer = self._buffer[self._position :] + piece
        self._position = self._counted = 0
        return True
