"""What a chat template prints of a conversation, and what it leaves out.

A template that ignores a field says nothing of it: the calls of an answer, the tools,
the reasoning are then neither seen nor learned. Standard library only.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any

Message = dict[str, Any]
Span = tuple[int, int]

ANSWER, CALL, REASONING = "answer", "call", "reasoning"
SYSTEM, TOOLS, CONTEXT = "system", "tools", "context"
END, PROMPT, SPECIAL = "end", "prompt", "special"
REASONING_KEYS = ("reasoning_content", "reasoning", "thinking")
THOUGHT_ENDS = "</think>"


def unprinted(
    messages: Sequence[Message], tools: Any, text: str, spans: dict[int, Span]
) -> set[str]:
    """The kinds of what is missing from a rendered text, of those named above.

    `spans` are the characters of each learned answer, by its number; what it says must
    stand there, all else anywhere. White space does not count.
    """
    whole = Printed(text)
    found = set()
    for number, message in enumerate(messages):
        span = spans.get(number)
        part = whole if span is None else Printed(text[slice(*span)])
        found |= set(_missing(message, part, learned=span is not None))
    if tools and not all(whole.has(name) for name in tool_names(tools)):
        found.add(TOOLS)
    return found


class Printed:
    """A rendered text to look things up in."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._squeezed = ""

    def has(self, words: str) -> bool:
        """Whether it has these words, whatever white space is between them."""
        if words.strip() in self._text:
            return True
        self._squeezed = self._squeezed or "".join(self._text.split())
        return "".join(words.split()) in self._squeezed

    def has_value(self, value: Any) -> bool:
        """Whether it has a value of a call's arguments, as text or as JSON."""
        if not isinstance(value, str):
            return self.has(json.dumps(value)) or self.has(str(value))
        escaped = json.dumps(value), json.dumps(value, ensure_ascii=False)
        return self.has(value) or any(self.has(form[1:-1]) for form in escaped)


def _missing(message: Message, part: Printed, *, learned: bool) -> Iterator[str]:
    """What of one message is not printed. What is not learned is only context."""
    content = str(message.get("content") or "")
    thought, ends, words = content.rpartition(THOUGHT_ENDS)
    if not part.has(words):
        yield _kind(message, learned)
    if ends and not part.has(thought.rpartition("<think>")[2]):
        yield REASONING
    if not all(part.has(str(message.get(key) or "")) for key in REASONING_KEYS):
        yield REASONING
    for call in message.get("tool_calls") or ():
        name, values = call_parts(call)
        if not (part.has(name) and all(part.has_value(value) for value in values)):
            yield CALL


def _kind(message: Message, learned: bool) -> str:
    if learned:
        return ANSWER
    return SYSTEM if message["role"] in {"system", "developer"} else CONTEXT


def call_parts(call: Any) -> tuple[str, list[Any]]:
    """The name and all single values of a tool call."""
    call = call if isinstance(call, dict) else {}
    inner = call.get("function")
    inner = inner if isinstance(inner, dict) else call
    given = inner.get("arguments")
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except ValueError:
            return str(inner.get("name") or ""), [given]
    return str(inner.get("name") or ""), list(_leaves(given))


def _leaves(value: Any) -> Iterator[Any]:
    if isinstance(value, dict):
        for key, inside in value.items():
            yield key
            yield from _leaves(inside)
    elif isinstance(value, list):
        for inside in value:
            yield from _leaves(inside)
    elif value is not None:
        yield value


def tool_names(tools: Any) -> list[str]:
    """The names of the functions that a conversation offers."""
    given = tools if isinstance(tools, list) else []
    return [call_parts(tool)[0] for tool in given]


def spells_special(messages: Sequence[Message], special: Sequence[str]) -> bool:
    """Whether a message's own words have the text of a special token.

    The tokenizer makes a real one of it: a question that quotes `<|im_end|>` ends
    there.
    """
    begins = {token[0] for token in special if token}
    texts = (str(message.get("content") or "") for message in messages)
    likely = [text for text in texts if any(first in text for first in begins)]
    return any(token in text for token in special for text in likely)
