"""Fast paths for the most common rows: plain, valid chat, and pairs of plain texts.

msgspec checks structure while it decodes. Anything else (an error, a warning, a weight,
a tool call) takes the slow path, through `assemble`.
"""

from typing import Annotated, Any

import msgspec
from msgspec import Meta, Struct

from datasets.domain.formats.declared import BARE, CHAT_KEY, Format
from datasets.domain.formats.parts import Part, folded
from datasets.domain.formats.turns import INVISIBLE
from datasets.domain.formats.written import MARKS
from datasets.domain.parse import Parsed

Text = Annotated[str, Meta(min_length=1)]
SPOKEN = {"system", "user", "assistant"}
SUSPECT = frozenset(INVISIBLE + " \t\r\n\x0b\x0c\x85\xa0\u2028\u2029\u3000")
EMPTY: tuple[Any, ...] = (None, "", [], {})
MOST_MISSES, MOST_KNOWN = 20, 10_000
NONE: list[str] = []
PLAIN = {Part.QUESTION, Part.ANSWER, Part.CONTEXT, Part.SYSTEM}
NEEDED = {Part.QUESTION, Part.ANSWER}
BESIDE = {None, Part.CONVERSATION, Part.ID}


class Message(Struct, tag_field="role", forbid_unknown_fields=True, gc=False):
    """A message with one role and nothing but text."""


class System(Message, tag="system"):
    content: Text


class User(Message, tag="user"):
    content: Text


class Assistant(Message, tag="assistant"):
    content: Text


Spoken = System | User | Assistant


class Row(Struct, forbid_unknown_fields=True):
    messages: list[Spoken]
    tools: None = None


_decode_row = msgspec.json.Decoder(Row).decode
_decode = msgspec.json.Decoder().decode


class PlainChat:
    """Looks at rows of a chat file, in the way that its rows so far suggest."""

    def __init__(self) -> None:
        self._misses = 0
        self._unused: dict[str, bool] = {}

    def look(self, raw: bytes) -> list[str] | None:
        """The unused keys of a row without errors or warnings; None for any other.

        Roles alternate, a system message comes first, an answer last, no text is blank.
        """
        if self._misses < MOST_MISSES:
            if is_plain(raw):
                return NONE
            self._misses += 1
        try:
            row = _decode(raw)
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            return None
        return self.look_at(row)

    def look_at(self, row: Any) -> list[str] | None:
        """The same of a row's value."""
        if type(row) is not dict:
            return None
        names = self._beside(row)
        return names if names is not None and _is_spoken(row.get(CHAT_KEY)) else None

    def _beside(self, row: dict[str, Any]) -> list[str] | None:
        names, known = [], self._unused
        for key, value in row.items():
            if key == CHAT_KEY or value in EMPTY:
                continue
            is_unused = known.get(key)
            if is_unused is None:
                part = BARE.plays.get(folded(key))
                if part is not None and part is not Part.CONVERSATION:
                    return None
                is_unused = part is None
                if len(known) < MOST_KNOWN:
                    known[key] = is_unused
            if is_unused:
                names.append(key)
        return names


def _is_spoken(messages: Any) -> bool:
    if type(messages) is not list:
        return False
    before = None
    for message in messages:
        if type(message) is not dict or len(message) != 2:
            return False
        role, content = message.get("role"), message.get("content")
        if type(role) is not str or type(content) is not str:
            return False
        if role not in SPOKEN or role == before:
            return False
        if not content or content[0] in SUSPECT or (role == "system" and before):
            return False
        before = role
    return before == "assistant"


def is_plain(raw: bytes) -> bool:
    """Whether a row is chat and nothing else, without errors or warnings."""
    try:
        messages = _decode_row(raw).messages
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return False
    before: type | None = None
    for message in messages:
        kind = type(message)
        if kind is before or (kind is System and before is not None):
            return False
        if message.content[0] in SUSPECT:
            return False
        before = kind
    return before is Assistant


class PlainText:
    """Looks at rows of a format that has a question and an answer as texts."""

    def __init__(self, format: Format) -> None:
        self._plays = format.plays
        self._known: dict[str, Part | None] = {}

    def look(self, raw: bytes) -> list[str] | None:
        """The unused keys of a row without errors or warnings; None for any other."""
        try:
            return self.look_at(_decode(raw))
        except (msgspec.MsgspecError, RecursionError, UnicodeError):
            return None

    def look_at(self, row: Any) -> list[str] | None:
        """The same of a row's value."""
        if type(row) is not dict or "parent_id" in row or "_meta" in row:
            return None
        names, seen = [], set()
        for key, value in row.items():
            if value in EMPTY:
                continue
            part = self._part(key)
            if part in PLAIN:
                if type(value) is not str or part in seen or value[0] in SUSPECT:
                    return None
                if value[0] == "[":
                    return None
                if part is Part.QUESTION and any(mark in value for mark in MARKS):
                    return None
                seen.add(part)
            elif part not in BESIDE:
                return None
            elif part is not Part.CONVERSATION:
                names.append(key)
        return names if seen >= NEEDED else None

    def _part(self, key: str) -> Part | None:
        found = self._known.get(key, self)
        if found is self:
            found = self._plays.get(folded(key))
            if len(self._known) < MOST_KNOWN:
                self._known[key] = found
        return found  # type: ignore[return-value]


Looker = PlainChat | PlainText


def looker_of(format: Format | None) -> Looker | None:
    """What looks at rows of a format before the full checks; None for most formats."""
    if format is None or format.by_hand or format.preference:
        return None
    if format.name == "openai_chat":
        return PlainChat()
    parts = {part for part, _ in format.needs}
    return PlainText(format) if parts == NEEDED and not _has_history(format) else None


def _has_history(format: Format) -> bool:
    return any(part is Part.HISTORY for part, _ in format.may)


def looked_at(looker: Looker, item: Any) -> list[str] | None:
    """The unused keys of a row that needs no more checks; None where it does."""
    if type(item) is bytes:
        return looker.look(item)
    if type(item) is Parsed and item.doubt is None and item.mark is None:
        return looker.look_at(item.value)
    return looker.look_at(item) if type(item) is dict else None
