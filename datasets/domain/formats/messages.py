"""A list of messages in any dialect as turns."""

from dataclasses import dataclass, replace
from typing import Any

from datasets.domain.faults import shown
from datasets.domain.formats.calls import decoded, read_calls
from datasets.domain.formats.content import read_content
from datasets.domain.formats.fields import Found, general
from datasets.domain.formats.parts import folded
from datasets.domain.formats.turns import Turn
from datasets.domain.formats.written import read_written

ROLES: dict[str, str] = {
    "system": "system", "developer": "system",
    "user": "user", "human": "user", "prompter": "user",
    "assistant": "assistant", "gpt": "assistant", "gpt4": "assistant",
    "gpt_4": "assistant", "chatgpt": "assistant", "bing": "assistant",
    "bard": "assistant", "claude": "assistant", "bot": "assistant",
    "chatbot": "assistant", "ai": "assistant", "model": "assistant",
    "tool": "tool", "function": "tool", "observation": "tool",
    "tool_response": "tool", "function_response": "tool", "tool_result": "tool",
    "tool_output": "tool", "ipython": "tool",
    "function_call": "call", "tool_call": "call", "tool_calls": "call",
}  # fmt: skip
# Which key of a message plays which part; the first that a message has is used.
ROLE_KEYS = ("role", "from", "author", "speaker")
CONTENT_KEYS = ("content", "value", "text", "parts", "message")
WEIGHT_KEYS = ("weight", "train", "training", "loss", "loss_weight")
REASONING_KEYS = ("reasoning_content", "reasoning", "thinking")
CALL_KEYS = ("tool_calls", "function_call")
KEPT_KEYS = ("tool_call_id", "name")
TOOL_KEYS = ("tools", "functions")
MEDIA_KEYS = ("images", "image", "audio", "audios", "video", "videos")
PLAIN = {"role", "content"}
PYTHON = ("[{'", "{'", "['", "[['", "[array(", "array([")
PAIR_KEYS = {
    "system": "system", "human": "user", "user": "user", "question": "user",
    "input": "user",
    "prompt": "user", "query": "user", "instruction": "user", "assistant": "assistant",
    "bot": "assistant", "gpt": "assistant", "model": "assistant",
    "answer": "assistant", "response": "assistant", "completion": "assistant",
    "output": "assistant",
}  # fmt: skip


@dataclass(slots=True)
class Message:
    """A message of the file, with what was taken of it."""

    where: str
    value: dict[str, Any]
    taken: set[str]

    def take(self, names: tuple[str, ...]) -> tuple[str, Any]:
        """The first of these keys that says something, else the first there is."""
        there = [name for name in names if name in self.value]
        said = [n for n in there if self.value[n] not in (None, "", [], {})]
        if not there:
            return "", None
        name = (said or there)[0]
        self.taken.add(name)
        return name, self.value[name]


def read_messages(
    value: Any,
    key: str,
    found: Found,
    *,
    weight: int | None = None,
    may_be_one: bool = False,
) -> list[Turn]:
    """Messages, alternating texts or pairs as turns; JSON text is read first.

    `weight` goes to all answers, as for a prompt, which is context only. `may_be_one`:
    a message alone will do, as for an answer.
    """
    listed = decoded(value)
    if isinstance(listed, str) and (written := read_written(listed)) is not None:
        found.fault("written_chat", key, written.style)
        return [Turn(field=key, role=role, content=t) for role, t in written.turns]
    if isinstance(listed, dict) and isinstance(listed.get("messages"), list):
        found.unused(key, listed, ("messages", "tools"))
        listed = listed["messages"]
    if may_be_one and isinstance(listed, dict) and listed.keys() & set(ROLE_KEYS):
        listed = [listed]
    if not isinstance(listed, list) or not listed:
        kind = "python_literal" if is_python(listed) else "no_messages"
        found.fault(kind, key, shown(value))
        return []
    turns: list[Turn] = []
    are_texts = all(isinstance(message, str) for message in listed)
    for number, message in enumerate(listed):
        where = f"{key}[{number}]"
        if are_texts:
            role = "assistant" if number % 2 else "user"
            turns.append(Turn(field=where, role=role, content=message))
        else:
            turns += _read(message, where, found)
    if weight is not None:
        turns = [
            replace(t, weight=weight) if t.role == "assistant" else t for t in turns
        ]
    return joined_calls(turns)


def is_python(value: Any) -> bool:
    """Whether a text is a list or dict as Python prints it."""
    return isinstance(value, str) and value.lstrip().startswith(PYTHON)


def _read(message: Any, where: str, found: Found) -> list[Turn]:
    if isinstance(message, list):
        return _read_pair(message, where, found)
    if not isinstance(message, dict):
        found.fault("not_an_object", where, shown(message))
        return []
    if message.keys() != PLAIN and is_pair(message):
        return _read_pair_object(message, where, found)
    return _read_rich(message, where, found)


def is_pair(message: dict[str, Any]) -> bool:
    """A question with its answer in one object: human and assistant."""
    roles = {PAIR_KEYS.get(folded(k)) for k, v in message.items() if v is not None}
    return {"user", "assistant"} <= roles and not message.keys() & set(ROLE_KEYS)


def _read_pair_object(message: dict[str, Any], where: str, found: Found) -> list[Turn]:
    used = {key for key in message if folded(key) in PAIR_KEYS}
    found.unused(where, message, used)
    order = ("system", "user", "assistant")
    spoken = sorted(used, key=lambda key: order.index(PAIR_KEYS[folded(key)]))
    return [
        Turn(field=f"{where}.{k}", role=PAIR_KEYS[folded(k)], content=message[k])
        for k in spoken
        if message[k] is not None
    ]


def _read_pair(pair: list[Any], where: str, found: Found) -> list[Turn]:
    """A question and its answer in a list of two, as in a history."""
    if len(pair) != 2:
        found.fault("no_messages", where, shown(pair))
        return []
    roles = ("user", "assistant")
    return [
        Turn(field=f"{where}[{n}]", role=role, content=said)
        for n, (role, said) in enumerate(zip(roles, pair, strict=True))
    ]


def _read_rich(value: dict[str, Any], where: str, found: Found) -> list[Turn]:
    message = Message(where, value, set())
    role_key, role = message.take(ROLE_KEYS)
    if isinstance(role, dict):
        found.unused(where, role, ("role",))
        role = role.get("role")
    kind = ROLES.get(folded(role), role) if isinstance(role, str) else role
    key, given = message.take(CONTENT_KEYS)
    usual = "value" if role_key == "from" else "content"
    content_field = f"{where}.{key or usual}"
    if kind == "call":
        turns = _read_call_turn(message, content_field, given, found)
    else:
        turns = _read_turn(message, kind, content_field, given, found)
    for name in TOOL_KEYS:
        if value.get(name) not in (None, "", [], {}):
            found.tools.append((f"{where}.{name}", value[name]))
            message.taken.add(name)
    for name in MEDIA_KEYS:
        if value.get(name) not in (None, "", [], {}):
            found.fault("not_supported", f"{where}.{name}", f"{name}")
            message.taken.add(name)
    if kind != "assistant" and kind != "call" and value.get("weight"):
        message.taken.discard("weight")
    found.unused(where, value, message.taken)
    return turns


def _read_turn(
    message: Message, kind: Any, content_field: str, given: Any, found: Found
) -> list[Turn]:
    where = message.where
    content = read_content(given, content_field, found, of_tool=kind == "tool")
    extra: dict[str, Any] = {}
    reasoning = "".join(content.reasoning)
    name, thought = message.take(REASONING_KEYS)
    if isinstance(thought, str):
        reasoning = f"{reasoning}{thought}"
    elif thought is not None:
        found.fault("not_text", f"{where}.{name}", shown(thought))
    if reasoning:
        extra["reasoning_content"] = reasoning
    for name in KEPT_KEYS:
        if isinstance(message.value.get(name), str):
            extra[name] = message.value[name]
            message.taken.add(name)
    calls = _calls(message, found) + content.calls
    if calls:
        extra["tool_calls"] = calls
    if content.text in (None, "") and isinstance(message.value.get("refusal"), str):
        content.text = message.value["refusal"]
        message.taken.add("refusal")
    results = _result_turns(where, content_field, content.results)
    if results and content.text in (None, "") and not (calls or reasoning):
        found.left += [
            f"{general(where)}.{name}" for name in KEPT_KEYS if name in extra
        ]
        return results
    turn = Turn(
        field=where,
        content_field=content_field,
        role=kind,
        content=content.text,
        weight=weight_of(message),
        extra=extra or None,
    )
    return [*results, turn]


def _result_turns(
    where: str, content_field: str, results: list[dict[str, Any]]
) -> list[Turn]:
    """Tools' answers inside a message as turns of their own, before it."""
    return [
        Turn(
            field=where,
            content_field=content_field,
            role="tool",
            content=result["content"],
            extra={k: v for k, v in result.items() if k != "content"} or None,
        )
        for result in results
    ]


def _calls(message: Message, found: Found) -> list[dict[str, Any]]:
    calls = []
    for name in CALL_KEYS:
        if name in message.value:
            message.taken.add(name)
            where = f"{message.where}.tool_calls"
            calls += read_calls(message.value[name], where, found)
    return calls


def _read_call_turn(
    message: Message, where: str, given: Any, found: Found
) -> list[Turn]:
    """A message whose content is the call: ShareGPT's function_call, tool_call."""
    before = len(found.faults)
    calls = read_calls(given, where, found)
    weight = weight_of(message)
    if calls:
        extra = {"tool_calls": calls}
        return [Turn(field=message.where, content_field=where, role="assistant",
                     content=None, weight=weight, extra=extra)]  # fmt: skip
    del found.faults[before:]
    if isinstance(given, str) and given.strip():
        found.fault("call_as_text", where, shown(given))
    return [Turn(field=message.where, content_field=where, role="assistant",
                 content=given, weight=weight)]  # fmt: skip


def weight_of(message: Message) -> Any:
    """The weight of a message under any of its names; 0 wins."""
    found = None
    for name in WEIGHT_KEYS:
        if (held := message.value.get(name)) is None:
            continue
        message.taken.add(name)
        if found is None or held in (0, False):
            found = held
    return found


def joined_calls(turns: list[Turn]) -> list[Turn]:
    """Calls that directly follow an answer or each other, as one turn with all."""
    found: list[Turn] = []
    calls: list[Any] | None = None
    for turn in turns:
        before = found[-1] if found else None
        if before is not None and _may_join(before, turn):
            if calls is None:
                calls = list((before.extra or {}).get("tool_calls", []))
                extra = {**(before.extra or {}), "tool_calls": calls}
                found[-1] = replace(before, extra=extra)
            calls += (turn.extra or {})["tool_calls"]
        else:
            found.append(turn)
            calls = None
    return found


def _may_join(before: Turn, turn: Turn) -> bool:
    same = before.role == "assistant" and before.weight == turn.weight
    return same and _is_only_calls(turn) and set(turn.extra or {}) == {"tool_calls"}


def _is_only_calls(turn: Turn) -> bool:
    has_calls = bool((turn.extra or {}).get("tool_calls"))
    return turn.role == "assistant" and has_calls and turn.content in (None, "")
