"""Formats made by hand: which column is what, our guess of it, and what is allowed."""

from collections.abc import Mapping, Sequence
from typing import Any

from datasets.domain.formats.declared import IGNORED, Format, detect
from datasets.domain.formats.parts import CHOOSABLE, EVERYWHERE, Part, folded

MAPPED = "mapped"
PARTS = (*(part.value for part in CHOOSABLE), IGNORED)
SEVERAL = {Part.SYSTEM, Part.CONTEXT, Part.REASONING, Part.TOOLS}
MOST_COLUMNS = 200
# Words inside a column's name that tell its part, in the order in which they are tried.
HINTS: tuple[tuple[Part, tuple[str, ...]], ...] = (
    (Part.REJECTED, ("reject", "worse", "bad_")),
    (Part.CHOSEN, ("chosen", "prefer", "better")),
    (Part.SYSTEM, ("system", "persona")),
    (Part.MESSAGES, ("message", "conversation", "dialog", "turns")),
    (Part.REASONING, ("reasoning", "thought", "rationale", "chain_of")),
    (Part.CONTEXT, ("context", "passage", "document", "kontext", "evidence")),
    (Part.QUESTION, ("question", "frage", "prompt", "instruction", "query", "problem",
                     "request", "pregunta", "source", "text", "user", "human")),
    (Part.ANSWER, ("answer", "antwort", "response", "output", "completion", "reply",
                   "solution", "target", "summary", "respuesta", "assistant", "label")),
)  # fmt: skip


def mapped(mapping: Mapping[str, str]) -> Format:
    """A format made by hand: from a column's name to the name of its part."""
    needs: dict[Part, list[str]] = {}
    for key, part in mapping.items():
        if part == IGNORED:
            continue
        needs.setdefault(Part(part), []).append(folded(key))
    return Format(
        name=MAPPED,
        title="mapped by hand",
        needs=tuple((part, tuple(names)) for part, names in needs.items()),
        preference=preference_of(mapping),
        by_hand=True,
    )


def preference_of(mapping: Mapping[str, str]) -> str:
    """The kind of preference data that a mapping makes; empty for none."""
    parts = set(mapping.values())
    if Part.LABEL in parts:
        return "label"
    return "pair" if Part.REJECTED in parts else ""


def guess(rows: Sequence[dict[str, Any]]) -> dict[str, str]:
    """Our best guess for the columns of some rows: a known format's, else by name."""
    names = list(dict.fromkeys(name for row in rows for name in row))[:MOST_COLUMNS]
    found = detect(rows[0]) if rows else None
    if found is not None:
        plays = found.plays
        known = {name: plays.get(folded(name), IGNORED) for name in names}
        return {n: p if p in PARTS else IGNORED for n, p in known.items()}
    guessed: dict[str, str] = {}
    for name in names:
        hinted = _hinted(folded(name))
        part = hinted or IGNORED
        taken = part in guessed.values() and hinted not in SEVERAL
        guessed[name] = IGNORED if taken else part
    return guessed


def _hinted(name: str) -> Part | None:
    for part, words in HINTS:
        if any(word in name for word in words):
            return part
    found = EVERYWHERE.get(name)
    return found if found in CHOOSABLE else None


def find_problem(mapping: Mapping[str, str]) -> str:
    """Why rows cannot be read by a mapping; empty where they can."""
    if len(mapping) > MOST_COLUMNS:
        return f"Received {len(mapping):,} columns; at most {MOST_COLUMNS} are allowed."
    for name, part in mapping.items():
        if part not in PARTS:
            allowed = ", ".join(PARTS)
            return f"Received {part!r} for {name!r}; choose one of: {allowed}."
    parts = [part for part in mapping.values() if part != IGNORED]
    for part in parts:
        if parts.count(part) > 1 and part not in SEVERAL:
            return f"Two columns are marked {part}; choose one of them."
    has = set(parts)
    if Part.TEXT in has and has - {Part.TEXT, Part.CONVERSATION, Part.WEIGHT}:
        return "Plain text has nothing beside it; mark the other columns ignore."
    if Part.REJECTED in has and not has & {Part.CHOSEN, Part.MESSAGES}:
        return "A rejected answer needs a chosen one, or messages that end with it."
    if Part.CHOSEN in has and Part.REJECTED not in has:
        return "A chosen answer needs a rejected one; mark it answer otherwise."
    if not has & {Part.MESSAGES, Part.ANSWER, Part.TEXT, Part.CHOSEN}:
        return "Nothing would be learned: mark a column as answer, messages or text."
    return ""
