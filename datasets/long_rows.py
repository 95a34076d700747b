"""Rows too long to be shown whole: their beginning, read without building the rest.

A row may have 10 MB, which as objects of Python are up to a gigabyte; so a long one is
only divided into its messages, and no more of those are read than are shown.
"""

from dataclasses import dataclass
from typing import Any

import msgspec

SHOWN_WHOLE_BYTES = 64 * 1024
MOST_MESSAGES = 50
MOST_CHARACTERS = 1000
LOOKED_AT_CHARACTERS = 96 * 1024
MOST_LOOKED_AT = 1000


class _Row(msgspec.Struct):
    messages: list[msgspec.Raw]
    tools: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET


class _Message(msgspec.Struct):
    role: str
    content: str = ""
    weight: float | msgspec.UnsetType | None = msgspec.UNSET
    tool_calls: msgspec.Raw | msgspec.UnsetType = msgspec.UNSET

    @property
    def is_learned(self) -> bool:
        return self.role == "assistant" and self.weight != 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """As much of a row as is looked at; `left_out` says what was not, in words."""

    row: dict[str, Any]
    left_out: str = ""
    loses_learned: bool = False


def shown(line: bytes) -> dict[str, Any]:
    """A row for a page: whole, or its beginning with `cut` beside it."""
    if len(line) <= SHOWN_WHOLE_BYTES:
        found: dict[str, Any] = msgspec.json.decode(line)
        return found
    row = msgspec.json.decode(line, type=_Row)
    return {
        "messages": [
            _beginning(m, MOST_CHARACTERS) for m in row.messages[:MOST_MESSAGES]
        ],
        "cut": {"bytes": len(line), "messages": len(row.messages)},
    }


def part_of(line: bytes) -> Part:
    """A row to be tokenized: whole, or its first 98,304 characters.

    Those are more tokens than a usual `max_length` keeps, so that what is trained on is
    the same. Each character may be several tokens, with a hundred bytes of memory for
    each: that is the bound.
    """
    if len(line) <= LOOKED_AT_CHARACTERS:
        return Part(row=msgspec.json.decode(line))
    row = msgspec.json.decode(line, type=_Row)
    taken: list[dict[str, Any]] = []
    left = LOOKED_AT_CHARACTERS
    for raw in row.messages[:MOST_LOOKED_AT]:
        taken.append(_beginning(raw, left))
        left -= len(taken[-1]["content"])
        if left <= 0:
            break
    rest = row.messages[len(taken) - 1 :]
    return Part(
        row={"messages": taken} | _tools(row),
        left_out=f"Only the first {LOOKED_AT_CHARACTERS - left:,} characters of this "
        f"example of {len(line):,} bytes were looked at.",
        loses_learned=any(_message(raw).is_learned for raw in rest),
    )


def _tools(row: _Row) -> dict[str, Any]:
    if isinstance(row.tools, msgspec.Raw) and len(bytes(row.tools)) < SHOWN_WHOLE_BYTES:
        return {"tools": msgspec.json.decode(row.tools)}
    return {}


def _beginning(raw: msgspec.Raw, characters: int) -> dict[str, Any]:
    """A message with that much of its text."""
    message = _message(raw)
    found: dict[str, Any] = {"role": message.role}
    if message.weight is not msgspec.UNSET:
        found["weight"] = message.weight
    calls = message.tool_calls
    if isinstance(calls, msgspec.Raw) and len(bytes(calls)) < characters:
        found["tool_calls"] = msgspec.json.decode(calls)
    return found | {"content": message.content[:characters]}


def _message(raw: msgspec.Raw) -> _Message:
    return msgspec.json.decode(raw, type=_Message)
