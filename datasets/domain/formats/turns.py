"""The conversation that every format is converted to, and its validation."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import msgspec

from datasets.domain.faults import Fault, shown

ROLES = ("system", "user", "assistant", "tool")
# Zero-width space and joiners, word joiner, byte order mark, soft hyphen.
INVISIBLE = "\u200b\u200c\u200d\u2060\ufeff\u00ad"
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
    """One training sequence, or one pair of a preferred and a rejected answer.

    `messages` have `role` and `content`, answers also `weight`, and what tool calls
    need. `conversation` is the file's own conversation id, if any: never split up.
    `rejected` stands in the place of the answers of weight 1, `label` says whether they
    are good; answers marked bad have weight 0, so that nothing learns them by mistake.
    """

    line: int
    messages: list[Message]
    conversation: str | None = None
    tools: list[Any] | None = None
    rejected: list[Message] | None = None
    label: bool | None = None


def row_bytes(example: Example) -> bytes:
    """The normalised row; equal examples give equal bytes."""
    row: dict[str, Any] = {"messages": example.messages}
    if example.tools:
        row["tools"] = example.tools
    if example.rejected is not None:
        row["rejected"] = example.rejected
    if example.label is not None:
        row["label"] = example.label
    return msgspec.json.encode(row)


def checked_messages(
    line: int, turns: Sequence[Turn], *, is_whole: bool = True
) -> tuple[list[Message], list[Fault]]:
    """The messages of these turns, and all errors and warnings.

    `is_whole`: a conversation to learn from, which needs an answer and an order.
    """
    faults = [fault for turn in turns for fault in _turn_faults(line, turn)]
    kept = [turn for turn in turns if not _is_empty_system(turn)]
    if is_whole:
        faults += _order_faults(line, kept)
    if any(fault.is_error for fault in faults):
        return [], faults
    return [_message(turn) for turn in kept], faults


def is_blank(content: Any) -> bool:
    """Text of which nothing is seen."""
    return isinstance(content, str) and not content.strip().strip(INVISIBLE).strip()


def _message(turn: Turn) -> Message:
    message: Message = {
        "role": turn.role,
        "content": "" if turn.content is None else turn.content,
    }
    if turn.role == "assistant":
        message["weight"] = 1 if turn.weight is None else int(turn.weight)
    return message | (turn.extra or {})


def _is_empty_system(turn: Turn) -> bool:
    return turn.role == "system" and (turn.content is None or is_blank(turn.content))


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


def _content_faults(line: int, turn: Turn) -> Iterator[Fault]:
    content, where = turn.content, turn.content_field or turn.field
    has_calls = bool((turn.extra or {}).get("tool_calls"))
    if _is_empty_system(turn):
        yield Fault(kind="empty_system", line=line, field=turn.field)
    elif content is None and (has_calls or turn.role == "tool"):
        return
    elif not isinstance(content, str):
        yield Fault(kind="not_text", line=line, field=where, found=shown(content))
    elif is_blank(content) and not has_calls and turn.role != "tool":
        found = "" if not content else "only whitespace"
        is_context = turn.role == "assistant" and turn.weight == 0
        kind = "empty_context" if is_context else "empty_content"
        yield Fault(kind=kind, line=line, field=where, found=found)


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
