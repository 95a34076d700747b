"""A message's content: text, or the parts of OpenAI, Anthropic, Bedrock, Gemini."""

from dataclasses import dataclass, field
from typing import Any

import msgspec

from datasets.domain.faults import Fault, clean, keys, shown
from datasets.domain.formats.calls import call_of
from datasets.domain.formats.fields import Found

TEXT_TYPES = ("text", "input_text", "output_text", None)
THOUGHTS = ("thinking", "reasoning")
RESULTS = ("toolResult", "tool_result", "functionResponse", "function_response")
NO_TEXT = object()
# Stands for what was refused, so that its row has no second fault.
UNREAD = "(not read)"


@dataclass(slots=True, kw_only=True)
class Content:
    """What a message says: `text` is what the file has where that is no text."""

    text: Any = None
    reasoning: list[str] = field(default_factory=list)
    calls: list[dict[str, Any]] = field(default_factory=list)
    results: list[dict[str, Any]] = field(default_factory=list)


def as_text(value: Any) -> str:
    """Any JSON value as text: a string as it is, anything else as JSON."""
    if isinstance(value, str):
        return value
    return msgspec.json.encode(value).decode("utf-8")


def read_content(value: Any, where: str, found: Found, *, of_tool: bool) -> Content:
    """The content of a message. What is not text is named, but a tool's answer."""
    if isinstance(value, str) or value is None:
        return Content(text=value)
    if isinstance(value, dict) and isinstance(value.get("parts"), list):
        found.unused(where, value, ("parts", "content_type", "role"))
        value = value["parts"]
    if isinstance(value, dict) and set(value) - {"type"} == {"text"}:
        value = [value]
    if of_tool and not (_are_texts(value) or _has_results(value)):
        return Content(text=as_text(value))
    if not isinstance(value, list) or not value:
        return Content(text=None if value == [] else value)
    content, texts = Content(), []
    for part in value:
        text = _read_part(part, where, content, found)
        if text is NO_TEXT:
            continue
        texts.append(text)
    if any(not isinstance(text, str) for text in texts):
        content.text = next(text for text in texts if not isinstance(text, str))
    elif texts:
        content.text = "".join(texts)
    return content


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(
        isinstance(p, dict)
        and isinstance(p.get("text"), str)
        and p.get("type") in TEXT_TYPES
        for p in value
    )  # fmt: skip


def _has_results(value: Any) -> bool:
    """Whether a content holds tools' answers as parts of their own."""
    return isinstance(value, list) and any(
        isinstance(part, dict)
        and (part.get("type") in RESULTS or not part.keys().isdisjoint(RESULTS))
        for part in value
    )


def _read_part(part: Any, where: str, content: Content, found: Found) -> Any:
    """The text of a part, or NO_TEXT where it was something else."""
    if isinstance(part, str):
        return part
    if not isinstance(part, dict):
        return part
    part = {name: held for name, held in part.items() if held is not None}
    kind = part.get("type")
    if kind in TEXT_TYPES and isinstance(part.get("text"), str):
        found.unused(where, part, ("type", "text"))
        return part["text"]
    if kind in THOUGHTS or (kind is None and "reasoningContent" in part):
        return _read_thought(part, where, content, found)
    if kind == "refusal" and isinstance(part.get("refusal"), str):
        found.unused(where, part, ("type", "refusal"))
        return part["refusal"]
    if _read_call_part(part, where, content, found):
        return NO_TEXT
    name = str(kind or next(iter(part), "nothing"))
    words = f"a part {clean(name[:60])!r} with the keys {keys(part)}"
    found.fault("not_supported", where, words)
    return UNREAD


def _read_thought(
    part: dict[str, Any], where: str, content: Content, found: Found
) -> Any:
    for name in (*THOUGHTS, "text", "summary", "content"):
        if isinstance(part.get(name), str):
            content.reasoning.append(part[name])
            found.unused(where, part, ("type", name))
            return NO_TEXT
    words = f"a part of reasoning with the keys {keys(part)}"
    found.fault("not_supported", where, words)
    return NO_TEXT


def _read_call_part(
    part: dict[str, Any], where: str, content: Content, found: Found
) -> bool:
    """Whether a part is a tool call or a tool's result, and was read as such."""
    for key, name, arguments, identity in (
        ("toolUse", "name", "input", "toolUseId"),
        ("functionCall", "name", "args", "id"),
        ("function_call", "name", "args", "id"),
        ("tool_use", "name", "input", "id"),
    ):
        call = part if part.get("type") == key else part.get(key)
        if not isinstance(call, dict) or not isinstance(call.get(name), str):
            continue
        found.unused(where, call, ("type", name, arguments, identity))
        made = call_of(
            call[name], call.get(arguments), where, found, identity=call.get(identity)
        )
        content.calls += [made] if made else []
        return True
    return _read_result_part(part, where, content, found)


def _read_result_part(
    part: dict[str, Any], where: str, content: Content, found: Found
) -> bool:
    for key, held, identity in (
        ("toolResult", "content", "toolUseId"),
        ("tool_result", "content", "tool_use_id"),
        ("functionResponse", "response", "id"),
        ("function_response", "response", "id"),
    ):
        result = part if part.get("type") == key else part.get(key)
        if not isinstance(result, dict):
            continue
        found.unused(where, result, ("type", held, identity, "name"))
        message: dict[str, Any] = {"content": _result_text(result.get(held))}
        for given, kept in ((identity, "tool_call_id"), ("name", "name")):
            if isinstance(result.get(given), str):
                message[kept] = result[given]
        content.results.append(message)
        return True
    return False


def _result_text(value: Any) -> str:
    """A tool's answer as text; parts of text joined, all else as JSON."""
    if value is None:
        return ""
    if isinstance(value, list) and value:
        parts = [
            p["json"] if isinstance(p, dict) and set(p) == {"json"} else p
            for p in value
        ]
        if _are_texts(parts):
            return "".join(part["text"] for part in parts)
        if len(parts) == 1:
            return as_text(parts[0])
        return as_text(parts)
    return as_text(value)


def media_fault(line: int, key: str, value: Any) -> Fault:
    """Images, audio and video are refused by their name."""
    return Fault(
        kind="not_supported", line=line, field=key, found=f"{key} with {shown(value)}"
    )
