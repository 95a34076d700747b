"""The supported row formats: how each is detected and converted to examples."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from datasets.domain import brightrun
from datasets.domain.faults import Fault, keys, shown
from datasets.domain.turns import Example, Turn, build_example, conversation_of

Row = dict[str, Any]
Read = tuple[list[Example], list[Fault]]

SHAREGPT_ROLES = {
    "human": "user",
    "user": "user",
    "gpt": "assistant",
    "assistant": "assistant",
    "chatgpt": "assistant",
    "model": "assistant",
    "function_call": "assistant",
    "system": "system",
    "tool": "tool",
    "observation": "tool",
    "function_response": "tool",
}
CHAT_ROLES = {"developer": "system", "function": "tool"}
KEPT_IN_MESSAGE = ("tool_calls", "tool_call_id", "name")


@dataclass(frozen=True, slots=True, kw_only=True)
class Format:
    """A row format: `needs` are the keys that identify it, `words` describes it."""

    name: str
    title: str
    words: str
    needs: tuple[str, ...]
    read: Callable[[int, Row], Read]


def detect(row: Row) -> Format | None:
    """The first format whose keys the row has, or None."""
    return next((f for f in FORMATS if all(k in row for k in f.needs)), None)


def known() -> str:
    """All formats in one sentence."""
    return "; ".join(f"{f.title}: {f.words}" for f in FORMATS)


def read_row(line: int, row: Any, expected: Format) -> Read:
    """The examples of one row in the file's format, and all its errors."""
    if not isinstance(row, dict):
        return [], [Fault(kind="not_an_object", line=line, found=shown(row))]
    if all(key in row for key in expected.needs):
        return expected.read(line, row)
    other = detect(row)
    if other is not None:
        found = f"this row is {other.title}, but the file started as {expected.title}"
        return [], [Fault(kind="mixed_formats", line=line, found=found)]
    missing = next(key for key in expected.needs if key not in row)
    found = f"the row has {keys(row)}" if row else "the row is empty"
    return [], [Fault(kind="missing_field", line=line, field=missing, found=found)]


def _one(
    line: int,
    turns: list[Turn],
    *,
    conversation: str | None = None,
    tools: list[Any] | None = None,
) -> Read:
    example, faults = build_example(line, turns, conversation=conversation, tools=tools)
    return ([example] if example else []), faults


def _chat(line: int, row: Row) -> Read:
    """`messages` with role and content, plus OpenAI's weight and tool calls."""
    return _messages(line, row, "messages")


def _turns(line: int, row: Row) -> Read:
    """`turns` with role and content, and a `conversation_id`."""
    return _messages(line, row, "turns")


def _messages(line: int, row: Row, key: str) -> Read:
    turns, faults = message_turns(line, row[key], key)
    if faults:
        return [], faults
    tools = row.get("tools")
    return _one(
        line,
        turns,
        conversation=conversation_of(row),
        tools=tools if isinstance(tools, list) and tools else None,
    )


def message_turns(
    line: int, value: Any, key: str, *, weight: int | None = None
) -> tuple[list[Turn], list[Fault]]:
    """A list of role/content objects as turns; CSV stores it as JSON text."""
    if not isinstance(value, list) or not value:
        return [], [Fault(kind="no_messages", line=line, field=key, found=shown(value))]
    faults = [
        Fault(kind="not_an_object", line=line, field=f"{key}[{n}]", found=shown(m))
        for n, m in enumerate(value)
        if not isinstance(m, dict)
    ]
    if faults:
        return [], faults
    return [_turn(f"{key}[{n}]", m, weight) for n, m in enumerate(value)], []


def _turn(where: str, message: Row, weight: int | None) -> Turn:
    role = message.get("role")
    extra = {k: message[k] for k in KEPT_IN_MESSAGE if message.get(k) is not None}
    if "tool_calls" not in extra and isinstance(message.get("function_call"), dict):
        call = {"type": "function", "function": message["function_call"]}
        extra["tool_calls"] = [call]
    return Turn(
        field=where,
        content_field=f"{where}.content",
        role=CHAT_ROLES.get(role, role) if isinstance(role, str) else role,
        content=message.get("content"),
        weight=message.get("weight") if weight is None else weight,
        extra=extra or None,
    )


def _completion(line: int, row: Row) -> Read:
    """`prompt` and `completion`, each text or a list of messages."""
    prompt, prompt_faults = _side(line, row["prompt"], "prompt", "user", 0)
    answer, answer_faults = _side(
        line, row["completion"], "completion", "assistant", None
    )
    if prompt_faults or answer_faults:
        return [], prompt_faults + answer_faults
    return _one(line, [*prompt, *answer], conversation=conversation_of(row))


def _side(
    line: int, value: Any, key: str, role: str, weight: int | None
) -> tuple[list[Turn], list[Fault]]:
    if isinstance(value, list):
        return message_turns(line, value, key, weight=weight)
    return [Turn(field=key, role=role, content=value)], []


def _instruction(line: int, row: Row) -> Read:
    """Alpaca: `instruction`, `output`; optional `input`, `system` and `history`."""
    field, question = _question(row)
    turns = [Turn(field=field, role="user", content=question)]
    turns += [Turn(field="output", role="assistant", content=row["output"])]
    history, faults = _history(line, row.get("history"))
    if row.get("system"):
        history.insert(0, Turn(field="system", role="system", content=row["system"]))
    if faults:
        return [], faults
    return _one(line, [*history, *turns], conversation=conversation_of(row))


def _question(row: Row) -> tuple[str, Any]:
    """Instruction and input as one text, or whichever of them is not text."""
    first, second = row["instruction"], row.get("input")
    if second is not None and not isinstance(second, str):
        return "input", second
    if not second or not second.strip() or not isinstance(first, str):
        return "instruction", first
    return "instruction", f"{first}\n\n{second}" if first.strip() else second


def _history(line: int, value: Any) -> tuple[list[Turn], list[Fault]]:
    """Earlier turns as context only: the rows of one chat overlap."""
    if not value:
        return [], []
    pairs = value if isinstance(value, list) else [value]
    turns, faults = [], []
    for number, pair in enumerate(pairs):
        where = f"history[{number}]"
        if not isinstance(pair, list) or len(pair) != 2:
            faults.append(
                Fault(kind="no_messages", line=line, field=where, found=shown(pair))
            )
            continue
        turns.append(Turn(field=f"{where}[0]", role="user", content=pair[0]))
        turns.append(
            Turn(field=f"{where}[1]", role="assistant", content=pair[1], weight=0)
        )
    return turns, faults


def _sharegpt(line: int, row: Row) -> Read:
    """`conversations` with from and value, and an optional `system`."""
    value = row["conversations"]
    if not isinstance(value, list) or not value:
        found = shown(value)
        return [], [
            Fault(kind="no_messages", line=line, field="conversations", found=found)
        ]
    turns = [_share_turn(f"conversations[{n}]", m) for n, m in enumerate(value)]
    if isinstance(row.get("system"), str) and row["system"].strip():
        turns.insert(0, Turn(field="system", role="system", content=row["system"]))
    return _one(line, turns, conversation=conversation_of(row))


def _share_turn(where: str, message: Any) -> Turn:
    if not isinstance(message, dict):
        return Turn(field=where, role=None, content=message)
    role = message.get("from", message.get("role"))
    return Turn(
        field=where,
        content_field=f"{where}.value",
        role=SHAREGPT_ROLES.get(role, role) if isinstance(role, str) else role,
        content=message.get("value", message.get("content")),
        weight=message.get("weight"),
    )


def _text(line: int, row: Row) -> Read:
    """`text` only: all of it is trained on, as one answer."""
    return _one(line, [Turn(field="text", role="assistant", content=row["text"])])


FORMATS = (
    Format(
        name="brightrun",
        title="BrightRun",
        words="current_user_input, target_response and conversation_history",
        needs=("current_user_input", "target_response"),
        read=brightrun.read_pair,
    ),
    Format(
        name="openai_chat",
        title="OpenAI chat",
        words="messages, a list with role and content",
        needs=("messages",),
        read=_chat,
    ),
    Format(
        name="sharegpt",
        title="ShareGPT",
        words="conversations, a list with from and value",
        needs=("conversations",),
        read=_sharegpt,
    ),
    Format(
        name="turns",
        title="conversation_id and turns",
        words="turns, a list with role and content",
        needs=("turns",),
        read=_turns,
    ),
    Format(
        name="prompt_completion",
        title="prompt and completion",
        words="prompt and completion, text or lists of messages",
        needs=("prompt", "completion"),
        read=_completion,
    ),
    Format(
        name="instruction",
        title="instruction, input and output",
        words="instruction and output, optionally input",
        needs=("instruction", "output"),
        read=_instruction,
    ),
    Format(
        name="text",
        title="plain text",
        words="text",
        needs=("text",),
        read=_text,
    ),
)
BY_NAME = {found.name: found for found in FORMATS}
