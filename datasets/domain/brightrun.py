"""BrightRun training pairs (v4 in one JSON document, v5 as rows) as examples.

A row has the history so far, the user's current input, and perhaps a target response.
Rows of one conversation overlap, so the history is context only. Its last turn repeats
the current input, which is used once.
"""

from typing import Any

from datasets.domain.faults import Fault, shown
from datasets.domain.turns import Example, Turn, build_example, conversation_of

Row = dict[str, Any]


def is_meta(row: Any) -> bool:
    """The first line of a v5 file, which describes the rest."""
    return isinstance(row, dict) and len(row) == 1 and "_meta" in row


def document_rows(conversation: Any, position: int) -> list[tuple[Row, str]] | None:
    """The training pairs of one element of a v4 document; None when it has none.

    The outer id identifies the conversation: the id inside the pairs names the
    type of conversation, which several share.
    """
    if not isinstance(conversation, dict):
        return None
    pairs = conversation.get("training_pairs")
    if not isinstance(pairs, list):
        return None
    facts = conversation.get("conversation_metadata")
    name = facts.get("conversation_id") if isinstance(facts, dict) else None
    return [(pair, str(name or f"#{position}")) for pair in pairs]


def read_pair(line: int, row: Row) -> tuple[list[Example], list[Fault]]:
    """One example, or none without a target response."""
    target = row["target_response"]
    if target is None or (isinstance(target, str) and not target.strip()):
        found = f"turn {row['turn_number']}" if "turn_number" in row else ""
        return [], [Fault(kind="no_target", line=line, found=found)]
    history, faults = _history(line, row)
    if any(fault.is_error for fault in faults):
        return [], faults
    question = row["current_user_input"]
    turns = [
        *history,
        Turn(field="current_user_input", role="user", content=question),
        Turn(field="target_response", role="assistant", content=target),
    ]
    if isinstance(row.get("system_prompt"), str) and row["system_prompt"].strip():
        turns.insert(
            0, Turn(field="system_prompt", role="system", content=row["system_prompt"])
        )
    example, more = build_example(line, turns, conversation=conversation_of(row))
    return ([example] if example else []), faults + more


def _history(line: int, row: Row) -> tuple[list[Turn], list[Fault]]:
    value = row.get("conversation_history")
    if value is None:
        return [], []
    key = "conversation_history"
    if not isinstance(value, list) or not all(isinstance(m, dict) for m in value):
        return [], [Fault(kind="no_messages", line=line, field=key, found=shown(value))]
    turns = [
        Turn(
            field=f"{key}[{number}]",
            content_field=f"{key}[{number}].content",
            role=message.get("role"),
            content=message.get("content"),
            weight=0 if message.get("role") == "assistant" else None,
        )
        for number, message in enumerate(value)
    ]
    if turns and _repeats(turns[-1], row["current_user_input"]):
        turns.pop()
    return turns, []


def _repeats(turn: Turn, question: Any) -> bool:
    if turn.role != "user" or not isinstance(turn.content, str):
        return False
    return isinstance(question, str) and turn.content.strip() == question.strip()
