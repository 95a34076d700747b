"""The conversation that every format is converted to, and its validation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

from datasets.domain.faults import Fault, shown

ROLES = ("system", "user", "assistant", "tool")
Message = dict[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One message from a row; the fields use the file's own names."""

    field: str
    content_field: str = ""
    role: Any
    content: Any
    weight: Any = None
    extra: dict[str, Any] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Example:
    """One training sequence.

    `messages` have `role` and `content`, answers also `weight`, and what tool calls
    need. `conversation` is the file's own conversation id, if any: never split up.
    """

    line: int
    messages: list[Message]
    conversation: str | None = None
    tools: list[Any] | None = None


def build_example(
    line: int,
    turns: Sequence[Turn],
    *,
    conversation: str | None = None,
    tools: list[Any] | None = None,
) -> tuple[Example | None, list[Fault]]:
    """The example of these turns (None on an error) and all errors and warnings."""
    faults = [fault for turn in turns for fault in _turn_faults(line, turn)]
    kept = [turn for turn in turns if not _is_empty_system(turn)]
    faults += _order_faults(line, kept)
    if any(fault.is_error for fault in faults):
        return None, faults
    messages = [_message(turn) for turn in kept]
    example = Example(
        line=line, messages=messages, conversation=conversation, tools=tools
    )
    return example, faults


def text_of(content: Any) -> Any:
    """OpenAI's list of text parts joined; anything else unchanged."""
    if not isinstance(content, list) or not content:
        return content
    texts = [
        part.get("text")
        for part in content
        if isinstance(part, dict) and part.get("type") == "text"
    ]
    if len(texts) == len(content) and all(isinstance(text, str) for text in texts):
        return "".join(map(str, texts))
    return content


def _message(turn: Turn) -> Message:
    content = text_of(turn.content)
    message: Message = {
        "role": turn.role,
        "content": "" if content is None else content,
    }
    if turn.role == "assistant":
        message["weight"] = 1 if turn.weight is None else int(turn.weight)
    return message | (turn.extra or {})


def _is_empty_system(turn: Turn) -> bool:
    content = text_of(turn.content)
    return turn.role == "system" and (content is None or _blank(content))


def _blank(content: Any) -> bool:
    return isinstance(content, str) and not content.strip()


def _turn_faults(line: int, turn: Turn) -> Iterator[Fault]:
    if turn.role not in ROLES:
        yield Fault(
            kind="wrong_role", line=line, field=turn.field, found=shown(turn.role)
        )
    yield from _content_faults(line, turn)
    if turn.weight is not None and turn.weight not in (0, 1):
        yield Fault(
            kind="wrong_weight", line=line, field=turn.field, found=shown(turn.weight)
        )
    calls = (turn.extra or {}).get("tool_calls")
    if calls is not None and not _are_calls(calls):
        where = f"{turn.field}.tool_calls"
        yield Fault(kind="wrong_tool_call", line=line, field=where, found=shown(calls))


def _content_faults(line: int, turn: Turn) -> Iterator[Fault]:
    content, where = text_of(turn.content), turn.content_field or turn.field
    if _is_empty_system(turn):
        yield Fault(kind="empty_system", line=line, field=turn.field)
    elif content is None and (turn.extra or {}).get("tool_calls"):
        return
    elif not isinstance(content, str):
        yield Fault(kind="not_text", line=line, field=where, found=shown(content))
    elif _blank(content) and not (turn.extra or {}).get("tool_calls"):
        found = "" if not content else "only whitespace"
        yield Fault(kind="empty_content", line=line, field=where, found=found)


def _are_calls(calls: Any) -> bool:
    if not isinstance(calls, list) or not calls:
        return False
    functions = [c.get("function") if isinstance(c, dict) else None for c in calls]
    return all(
        isinstance(f, dict)
        and isinstance(f.get("name"), str)
        and isinstance(f.get("arguments"), str | dict)
        for f in functions
    )


def _order_faults(line: int, turns: Sequence[Turn]) -> Iterator[Fault]:
    roles = [turn.role for turn in turns]
    answers = [turn for turn in turns if turn.role == "assistant"]
    if not answers:
        yield Fault(kind="no_answer", line=line, found=_roles(roles))
    elif all(turn.weight == 0 for turn in answers):
        yield Fault(kind="nothing_learned", line=line)
    elif roles[-1] != "assistant":
        yield Fault(kind="no_final_answer", line=line, found=f"last is {roles[-1]!r}")
    for before, turn in pairwise(turns):
        if turn.role == before.role and turn.role in ("user", "assistant"):
            yield Fault(
                kind="same_role_again",
                line=line,
                field=turn.field,
                found=f"{turn.role} after {before.role}",
            )
    for turn in turns[1:]:
        if turn.role == "system":
            yield Fault(kind="system_not_first", line=line, field=turn.field)


def _roles(roles: list[Any]) -> str:
    return "only " + ", ".join(sorted({shown(r) for r in roles})) if roles else ""


def conversation_of(row: dict[str, Any]) -> str | None:
    """The row's own conversation id, if it is text or a number."""
    found = row.get("conversation_id")
    return str(found) if isinstance(found, str | int) and found != "" else None
