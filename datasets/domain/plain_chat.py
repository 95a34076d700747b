"""The quick way through the commonest rows: plain OpenAI chat without a flaw.

msgspec checks structure while it decodes. Whatever is not plainly right (a fault, a
warning, a weight, a tool call) is None here and goes the thorough way.
"""

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

Text = Annotated[str, Meta(min_length=1)]


class Message(Struct, tag_field="role", forbid_unknown_fields=True, gc=False):
    """A message of one role and nothing beside its text."""


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
    """Whether a row is chat without a fault or warning.

    Roles alternate, a system message stands first, an answer last, no text is blank.
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
