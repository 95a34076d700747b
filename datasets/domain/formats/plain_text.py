"""Fast path for rows of plain texts: a question, an answer, and what goes with them."""

from typing import Any

import msgspec

from datasets.domain.formats.declared import Format
from datasets.domain.formats.parse import Parsed
from datasets.domain.formats.parts import Part, folded
from datasets.domain.formats.plain_chat import EMPTY, MOST_KNOWN, SUSPECT, PlainChat

PLAIN = {Part.QUESTION, Part.ANSWER, Part.CONTEXT, Part.SYSTEM}
NEEDED = {Part.QUESTION, Part.ANSWER}
BESIDE = {None, Part.CONVERSATION, Part.ID}
_decode = msgspec.json.Decoder().decode


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
