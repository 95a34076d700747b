"""Preference data: pairs of a preferred and a rejected answer, answers marked bad."""

from dataclasses import dataclass, replace
from typing import Any

from datasets.domain.faults import shown
from datasets.domain.formats.calls import decoded
from datasets.domain.formats.declared import Format, truth
from datasets.domain.formats.fields import Fields, Found
from datasets.domain.formats.messages import read_messages
from datasets.domain.formats.parts import Part
from datasets.domain.formats.turns import Turn
from datasets.domain.formats.written import read_written


@dataclass(slots=True, kw_only=True)
class Preference:
    """The conversation with the preferred answer, and what stands against it."""

    turns: list[Turn]
    rejected: list[Turn] | None = None
    label: bool | None = None


def as_preference(
    format: Format, fields: Fields, turns: list[Turn], found: Found
) -> Preference:
    """The preference of a row; of a row without one, its turns as they are.

    A row of another format that rejects an answer is a fault: a bad answer would be
    learned as a good one.
    """
    if format.preference == "pair":
        return _pair(fields, turns, found)
    label = fields.take(Part.LABEL) if fields.has(Part.LABEL) else None
    if label is None and format.preference != "label":
        _name_stray(format, fields, found)
        return Preference(turns=turns)
    if label is None:
        label = fields.take(Part.LABEL)
    given = truth(label.value) if label else None
    if given is None and format.preference != "label":
        if label is not None:
            found.left.append(label.key)
        return Preference(turns=turns)
    if given is None or label is None:
        found.fault("wrong_label", label.key if label else "label",
                    shown(label.value if label else None))  # fmt: skip
        return Preference(turns=turns)
    if format.preference != "label":
        words = f"this row marks its answer good or bad, but the file is {format.title}"
        found.fault("mixed_formats", label.key, words)
    return Preference(turns=_only_last(turns, learned=given), label=given)


def _name_stray(format: Format, fields: Fields, found: Found) -> None:
    for part in (Part.REJECTED, Part.CHOSEN):
        if fields.has(part):
            taken = fields.take(part)
            words = f"this row has a preference, but the file is {format.title}"
            found.fault("mixed_formats", taken.key if taken else "", words)


def _only_last(turns: list[Turn], *, learned: bool) -> list[Turn]:
    """What was said before the last question is context; of a bad answer all is."""
    start = _answer_start(turns)
    return [
        replace(turn, weight=(turn.weight if learned and n >= start else 0))
        if turn.role == "assistant"
        else turn
        for n, turn in enumerate(turns)
    ]


def _answer_start(turns: list[Turn]) -> int:
    """Where the last answer begins, its calls and their results with it."""
    last = [n for n, turn in enumerate(turns) if turn.role in ("user", "system")]
    return last[-1] + 1 if last else 0


def _pair(fields: Fields, turns: list[Turn], found: Found) -> Preference:
    rejected_value = fields.take(Part.REJECTED)
    chosen_value = fields.take(Part.CHOSEN) if fields.has(Part.CHOSEN) else None
    if rejected_value is None and chosen_value is not None:
        outputs = chosen_value.value
        if not isinstance(outputs, list) or len(outputs) != 2:
            words = f"{shown(outputs)}; two are needed, the better one first"
            found.fault("no_pair", chosen_value.key, words)
            return Preference(turns=turns)
        chosen = _side(chosen_value.key, outputs[0], found)
        rejected = _side(chosen_value.key, outputs[1], found)
    else:
        if rejected_value is None or rejected_value.value is None:
            found.fault("missing_field", "rejected", "the row rejects no answer")
            return Preference(turns=turns)
        rejected = _side(rejected_value.key, rejected_value.value, found)
        if chosen_value is None:
            start = _answer_start(turns)
            turns, chosen = turns[:start], turns[start:]
        else:
            chosen = _side(chosen_value.key, chosen_value.value, found)
    return _joined(turns, chosen, rejected, found)


def _side(key: str, value: Any, found: Found) -> list[Turn]:
    """An answer as turns: text, a message, messages, or a chat written out."""
    value = decoded(value)
    if isinstance(value, dict | list):
        return read_messages(value, key, found, may_be_one=True)
    written = read_written(value) if isinstance(value, str) else None
    if written is not None and written.turns:
        return [Turn(field=key, role=role, content=t) for role, t in written.turns]
    return [Turn(field=key, role="assistant", content=value)]


def _joined(
    prompt: list[Turn], chosen: list[Turn], rejected: list[Turn], found: Found
) -> Preference:
    """One prompt before both: where the answers are whole chats, what they share."""
    shared = 0
    if any(turn.role in ("user", "system") for turn in chosen):
        limit = min(len(chosen), len(rejected)) - 1
        while shared < limit and _same(chosen[shared], rejected[shared]):
            shared += 1
        if not prompt or _is_prefix(prompt, chosen):
            prompt = chosen[:shared]
        else:
            prompt = [*prompt, *chosen[:shared]]
        chosen, rejected = chosen[shared:], rejected[shared:]
    elif _is_prefix(prompt, rejected):
        rejected = rejected[_answer_start(rejected) :]
    context = [
        replace(turn, weight=0) if turn.role == "assistant" else turn for turn in prompt
    ]
    if not any(turn.role == "user" for turn in prompt):
        found.fault("no_pair", "", "the row has no question")
    if not any(turn.role == "assistant" for turn in chosen):
        found.fault("no_pair", "chosen", "the preferred side has no answer")
    if not any(turn.role == "assistant" for turn in rejected):
        found.fault("no_pair", "rejected", "the rejected side has no answer")
    return Preference(turns=[*context, *chosen], rejected=rejected)


def _is_prefix(prompt: list[Turn], chosen: list[Turn]) -> bool:
    """Whether a chat already begins with the prompt (a system turn may come before)."""
    asked = [turn for turn in prompt if turn.role != "system"]
    begins = [turn for turn in chosen if turn.role != "system"][: len(asked)]
    is_said = len(asked) == len(begins) and all(map(_same, asked, begins))
    systems = [turn for turn in prompt if turn.role == "system"]
    return is_said and all(
        any(_same(turn, other) for other in chosen) for turn in systems
    )


def _same(one: Turn, other: Turn) -> bool:
    return (one.role, one.content, one.extra) == (
        other.role,
        other.content,
        other.extra,
    )
