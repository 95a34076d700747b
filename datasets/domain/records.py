"""One line of a dataset file: parsed, checked, normalised to messages."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import msgspec

ROLES = ("system", "user", "assistant")
MAX_LINE_BYTES = 10 * 1024 * 1024
_decode = msgspec.json.Decoder().decode


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """What is wrong with a file; `line` counts from 1, None means the whole file."""

    line: int | None
    field: str
    message: str

    def as_dict(self) -> dict[str, Any]:
        return {"line": self.line, "field": self.field, "message": self.message}


@dataclass(frozen=True, slots=True, kw_only=True)
class Conversation:
    """One training sequence; `messages` have `role` and `content` only."""

    line: int
    messages: tuple[dict[str, str], ...]


def read_line(number: int, raw: bytes) -> Conversation | list[Fault] | None:
    """A conversation, everything that is wrong with the line, or None when blank."""
    if not raw.strip():
        return None
    if len(raw) > MAX_LINE_BYTES:
        size = f"{len(raw):,} bytes; at most {MAX_LINE_BYTES:,} are read"
        return [Fault(line=number, field="", message=f"The line has {size}.")]
    value = _parse(number, raw)
    if isinstance(value, Fault):
        return [value]
    faults = list(_faults(number, value))
    if faults:
        return faults
    messages = ({"role": m["role"], "content": m["content"]} for m in value["messages"])
    return Conversation(line=number, messages=tuple(messages))


def _parse(number: int, raw: bytes) -> Any:
    try:
        text = raw.decode("utf-8-sig" if number == 1 else "utf-8")
    except UnicodeDecodeError as error:
        words = f"not UTF-8 at byte {error.start + 1} of the line; save it as UTF-8"
        return Fault(line=number, field="", message=f"The line is {words}.")
    try:
        return _decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError) as error:
        words = str(error).removeprefix("JSON is malformed: ")
        return Fault(line=number, field="", message=f"The line is not JSON: {words}.")


def _faults(number: int, value: Any) -> Iterator[Fault]:
    """Every fault of a parsed line."""
    if not isinstance(value, dict):
        yield Fault(
            line=number,
            field="",
            message=f"The line is {kind(value)}; give an object with 'messages'.",
        )
        return
    messages = value.get("messages")
    if not isinstance(messages, list) or not messages:
        seen = kind(messages) if "messages" in value else f"keys {list(value)[:5]}"
        yield Fault(
            line=number,
            field="messages",
            message=f"Found {seen}; give 'messages', a list of role and content.",
        )
        return
    for index, message in enumerate(messages):
        yield from _message_faults(number, index, message)
    roles = [m.get("role") for m in messages if isinstance(m, dict)]
    if "assistant" not in roles:
        yield Fault(
            line=number,
            field="messages",
            message="No message has the role assistant: there is nothing to learn.",
        )


def _message_faults(number: int, index: int, message: Any) -> Iterator[Fault]:
    where = f"messages[{index}]"
    if not isinstance(message, dict):
        words = f"Found {kind(message)}; give an object with role and content."
        yield Fault(line=number, field=where, message=words)
        return
    if message.get("role") not in ROLES:
        words = f"Found {message.get('role')!r}; give one of {', '.join(ROLES)}."
        yield Fault(line=number, field=f"{where}.role", message=words)
    content = message.get("content")
    if not isinstance(content, str):
        words = f"Found {kind(content)}; give text."
        yield Fault(line=number, field=f"{where}.content", message=words)
    elif not content.strip():
        words = "The content is empty; give text, or leave the message out."
        yield Fault(line=number, field=f"{where}.content", message=words)


def kind(value: Any) -> str:
    """A JSON value's type in words."""
    names = {
        type(None): "nothing",
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "text",
        list: "a list",
        dict: "an object",
    }
    found = names[type(value)]
    return f"an empty {found.split()[-1]}" if value in ([], {}, "") else found
