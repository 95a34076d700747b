"""Fast path for the most common rows: plain, valid OpenAI chat.

msgspec checks structure while it decodes. Anything else (an error, a warning, a weight,
a tool call) returns None here and takes the slow path.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

Text = Annotated[str, Meta(min_length=1)]


class Message(Struct, tag_field="role", forbid_unknown_fields=True, gc=False):
    """A message with one role and nothing but text."""


class System(Message, tag="system"):
    content: Text


class User(Message, tag="user"):
    content: Text


class Assistant(Message, tag="assistant"):
    content: Text


Spoken = System | User | Assistant


class Row(Struct):
    messages: list[Spoken]
    tools: None = None


_decode = msgspec.json.Decoder(Row).decode


def is_plain(raw: bytes) -> bool:
    """Whether a row is chat without errors or warnings.

    Roles alternate, a system message comes first, an answer last, no text is blank.
    """
    try:
        messages = _decode(raw).messages
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return False
    before: type | None = None
    for message in messages:
        kind = type(message)
        if kind is before or (kind is System and before is not None):
            return False
        if message.content.isspace():
            return False
        before = kind
    return before is Assistant
