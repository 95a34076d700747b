"""The quick way through the commonest rows: plain OpenAI chat without a flaw.

msgspec checks structure while it decodes. Whatever is not plainly right (a fault, a
warning, a weight, a tool call) is None here and goes the thorough way.
"""

from itertools import pairwise
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
_orders: dict[tuple[type, ...], bool] = {}


def is_plain(raw: bytes) -> bool:
    """Whether a row is chat without a fault or warning."""
    try:
        messages = _decode(raw).messages
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return False
    order = tuple(map(type, messages))
    if not (_orders[order] if order in _orders else _remember(order)):
        return False
    for message in messages:
        content = message.content
        if content.isspace() or "\x00" in content:
            return False
    return True


def _remember(order: tuple[type, ...]) -> bool:
    """Whether roles alternate, begin well and end with an answer."""
    spoken = order[1:] if order[:1] == (System,) else order
    alternates = all(a is not b for a, b in pairwise(spoken))
    fine = bool(spoken) and spoken[-1] is Assistant and System not in spoken
    if len(_orders) < 10_000:
        _orders[order] = alternates and fine
    return alternates and fine
