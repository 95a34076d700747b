"""The example of a row: its parts in the order in which they are said."""

from dataclasses import dataclass, field, replace
from typing import Any

from datasets.domain.faults import Fault, shown
from datasets.domain.formats.calls import decoded, read_tools
from datasets.domain.formats.declared import Format, truth
from datasets.domain.formats.fields import Fields, Found, Value, is_empty
from datasets.domain.formats.messages import joined_calls, read_messages
from datasets.domain.formats.parts import Part
from datasets.domain.formats.preferences import as_preference
from datasets.domain.formats.questions import Row, is_listed, read_question
from datasets.domain.formats.turns import Example, Turn, checked_messages
from datasets.domain.formats.written import read_written


@dataclass(slots=True, kw_only=True)
class Read:
    """What a row gave: examples, faults, and the keys that nobody used."""

    examples: list[Example] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)


def read_parts(
    line: int, row: dict[str, Any], format: Format, *, chosen_only: bool = False
) -> Read:
    """The example of a row that has the format's keys.

    `chosen_only`: of preference data the good answers, as an example to learn.
    """
    found = Found(line)
    at = Row(line=line, format=format, fields=Fields(row, format), found=found)
    if _is_without_target(at):
        words = f"turn {row['turn_number']}" if "turn_number" in row else ""
        found.fault("no_target", "", words)
        return Read(faults=found.faults)
    _read_system_and_tools(at)
    _read_conversation(at)
    _read_history(at)
    read_question(at)
    _read_answer(at)
    _read_text(at)
    for key, value in at.fields.take_all(Part.MEDIA):
        found.fault("not_supported", key, f"{key} with {shown(value)}")
    examples = _examples(at, chosen_only)
    return Read(
        examples=examples,
        faults=found.faults,
        unused=at.fields.unused() + found.left,
    )


def _is_without_target(at: Row) -> bool:
    if at.format.name != "brightrun":
        return False
    target = at.fields.take(Part.ANSWER)
    value = target.value if target else None
    return value is None or (isinstance(value, str) and not value.strip())


def _read_system_and_tools(at: Row) -> None:
    for key, value in at.fields.take_all(Part.SYSTEM):
        text = system_text(value)
        at.turns.append(Turn(field=key, role="system", content=text))
    for key, value in at.fields.take_all(Part.TOOLS):
        tools, faults = read_tools(key, value, at.line)
        at.found.faults += faults
        at.tools = [*(at.tools or []), *tools] or None


def system_text(value: Any) -> Any:
    """A system prompt as text: from a string, parts, or what holds parts."""
    value = decoded(value) if isinstance(value, str) and "parts" in value else value
    if isinstance(value, dict):
        value = value.get("parts", value.get("content", value.get("text", value)))
    if isinstance(value, list):
        texts = [p.get("text") if isinstance(p, dict) else p for p in value]
        if all(isinstance(text, str) for text in texts):
            return "".join(map(str, texts))
    return value


def _read_conversation(at: Row) -> None:
    taken = at.fields.take(Part.MESSAGES)
    if taken is None:
        return
    _take_inner_tools(at, taken)
    turns = read_messages(taken.value, taken.key, at.found)
    for key, value in at.found.tools:
        tools, faults = read_tools(key, value, at.line)
        at.found.faults += faults
        at.tools = [*(at.tools or []), *tools] or None
    if turns and turns[0].role == "system" and at.turns:
        turns = [_with_system(at.turns, turns[0]), *turns[1:]]
        at.turns = []
    at.turns += turns


def _take_inner_tools(at: Row, taken: Value) -> None:
    """OpenAI's preference rows keep the tools inside `input`."""
    held = decoded(taken.value)
    if isinstance(held, dict) and not is_empty(held.get("tools")):
        tools, faults = read_tools(f"{taken.key}.tools", held["tools"], at.line)
        at.found.faults += faults
        at.tools = [*(at.tools or []), *tools] or None


def _with_system(before: list[Turn], first: Turn) -> Turn:
    """The system turn of the messages with the row's system prompt before it."""
    texts = [*(turn.content for turn in before), first.content]
    if not all(isinstance(text, str) for text in texts):
        return before[0]
    once = list(dict.fromkeys(texts))
    return replace(first, content="\n\n".join(once))


def _read_history(at: Row) -> None:
    taken = at.fields.take(Part.HISTORY)
    if taken is None or is_empty(taken.value):
        return
    value = decoded(taken.value)
    if isinstance(value, str) or not isinstance(value, list):
        at.found.fault("no_messages", taken.key, shown(value))
        return
    at.turns += read_messages(value, taken.key, at.found, weight=0)


def _read_answer(at: Row) -> None:
    if at.answered or (at.fields.has(Part.MESSAGES) and _is_answered(at)):
        _put_reasoning(at)
        return
    taken = at.fields.take(Part.ANSWER)
    if taken is not None:
        at.turns += answer_turns(taken, at.found)
    _put_reasoning(at)


def _is_answered(at: Row) -> bool:
    return bool(at.turns) and at.turns[-1].role == "assistant"


def answer_turns(taken: Value, found: Found) -> list[Turn]:
    """An answer given as text, as a message, or as a list of messages."""
    value = decoded(taken.value) if is_listed(taken.value) else taken.value
    if isinstance(value, dict | list) and value:
        turns = read_messages(value, taken.key, found, may_be_one=True)
        only_text = isinstance(value, list) and all(isinstance(v, str) for v in value)
        if only_text and len(value) == 1:
            turns = [replace(turn, role="assistant") for turn in turns]
        return turns
    return [Turn(field=taken.key, role="assistant", content=value)]


def _put_reasoning(at: Row) -> None:
    """Reasoning beside the answer belongs to it."""
    taken = at.fields.take_all(Part.REASONING)
    if not taken:
        return
    texts = [value for _, value in taken if isinstance(value, str)]
    if len(texts) != len(taken):
        wrong = next(v for v in taken if not isinstance(v.value, str))
        at.found.fault("not_text", wrong.key, shown(wrong.value))
    if not _is_answered(at):
        at.found.left += [key for key, _ in taken]
        return
    last = at.turns[-1]
    extra = dict(last.extra or {})
    extra["reasoning_content"] = "\n\n".join(
        [
            *([extra["reasoning_content"]] if "reasoning_content" in extra else []),
            *texts,
        ]
    )
    at.turns[-1] = replace(last, extra=extra)


def _read_text(at: Row) -> None:
    """Plain text is one answer, unless it is a chat that was written out."""
    taken = at.fields.take(Part.TEXT)
    if taken is None:
        return
    written = read_written(taken.value) if isinstance(taken.value, str) else None
    if written is None:
        at.turns.append(Turn(field=taken.key, role="assistant", content=taken.value))
        return
    at.found.fault("written_chat", taken.key, written.style)
    if not written.turns:
        at.turns.append(Turn(field=taken.key, role="assistant", content=taken.value))
    at.turns += [
        Turn(field=taken.key, role=role, content=said) for role, said in written.turns
    ]


def _examples(at: Row, chosen_only: bool) -> list[Example]:
    weight = _row_weight(at)
    name = at.fields.take(Part.CONVERSATION)
    identity = conversation_name(name.value) if name else None
    preference = as_preference(at.format, at.fields, at.turns, at.found)
    turns = joined_calls(preference.turns)
    if at.found.has_errors:
        messages, faults = checked_messages(at.line, turns, is_whole=False)
        at.found.faults += faults
        return []
    is_bad = preference.label is False
    messages, faults = checked_messages(at.line, turns, is_whole=not is_bad)
    at.found.faults += faults
    rejected = None
    if preference.rejected is not None:
        rejected, faults = checked_messages(
            at.line, preference.rejected, is_whole=False
        )
        at.found.faults += faults
    if at.found.has_errors:
        return []
    if weight == 0 or (is_bad and chosen_only):
        at.found.fault("left_out", "", "of weight 0" if weight == 0 else "marked bad")
        return []
    example = Example(
        line=at.line,
        messages=messages,
        conversation=identity,
        tools=at.tools,
        rejected=None if chosen_only else rejected,
        label=None if chosen_only else preference.label,
    )
    return [example]


def _row_weight(at: Row) -> Any:
    """The row's own weight: 0 leaves it out. Raises none; others are faults."""
    found = None
    for key, value in at.fields.take_all(Part.WEIGHT):
        number = truth(value)
        if number is None:
            at.found.fault("wrong_weight", key, shown(value))
        elif found is None or not number:
            found = int(number)
    return found


def conversation_name(value: Any) -> str | None:
    """A conversation's id, if it is text or a number."""
    return str(value) if isinstance(value, str | int) and value != "" else None
