"""What is learned and what is only read: token ids and labels of a conversation.

Standard library only, with rendering and tokenizing passed in, so that the trainer, the
worker and the web process use this very file.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

IGNORED = -100
Message = dict[str, Any]
Span = tuple[int, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A base model's chat template and tokenizer.

    `render(messages, add_generation_prompt)` gives text; `encode(text)` gives token ids
    and, for each token, the characters [start, end) of the text that it covers.
    `end_of_turn` is the text of the token that ends a turn, "" when there is none.
    """

    render: Callable[[Sequence[Message], bool], str]
    encode: Callable[[str], tuple[list[int], list[Span]]]
    end_of_turn: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One training sequence.

    `labels` has the length of `input_ids`: the token's id where it is learned, -100
    where it is only read. `cut` counts the tokens lost to max_length. With
    `prefix_stable` false only the last answer is learned.
    """

    input_ids: list[int]
    labels: list[int]
    cut: int
    prefix_stable: bool

    @property
    def supervised(self) -> int:
        """Tokens that are learned. The first of a sequence is never predicted."""
        return sum(label != IGNORED for label in self.labels[1:])


def label_conversation(
    messages: Sequence[Message], template: Template, *, max_length: int
) -> Labelled:
    """Ids and labels of one conversation, cut at max_length tokens.

    Learned are the assistant's messages whose `weight` is not 0, each from the first
    token after its header up to and with the end of its turn. A token that lies across
    a border is learned only when it begins inside. Raises ValueError without messages.
    """
    if not messages:
        raise ValueError("A conversation needs at least one message.")
    text = template.render(messages, False)
    spans, stable = learned_spans(messages, template, text)
    ids, offsets = template.encode(text)
    labels = [IGNORED] * len(ids)
    for position, (start, end) in enumerate(offsets):
        if end > start and any(a <= start < b for a, b in spans):
            labels[position] = ids[position]
    return Labelled(
        input_ids=ids[:max_length],
        labels=labels[:max_length],
        cut=max(len(ids) - max_length, 0),
        prefix_stable=stable,
    )


def learned_spans(
    messages: Sequence[Message], template: Template, text: str
) -> tuple[list[Span], bool]:
    """The characters of the rendered text that are learned, and prefix stability."""
    borders = _borders(messages, template, text)
    if borders is None:
        return _last_answer(messages, template, text), False
    spans = [
        _answer(messages[: n + 1], template, text, borders[n], borders[n + 1])
        for n, message in enumerate(messages)
        if is_learned(message)
    ]
    return spans, True


def is_learned(message: Message) -> bool:
    """An assistant's message, unless its weight is 0."""
    return bool(message["role"] == "assistant" and message.get("weight", 1) != 0)


def _borders(
    messages: Sequence[Message], template: Template, text: str
) -> list[int] | None:
    """Where each message ends in the text; None when a rendering is no prefix."""
    borders = [0]
    for count in range(1, len(messages) + 1):
        rendered = template.render(messages[:count], False)
        if not text.startswith(rendered) or len(rendered) < borders[-1]:
            return None
        borders.append(len(rendered))
    return borders


def _answer(
    messages: Sequence[Message], template: Template, text: str, start: int, end: int
) -> Span:
    """An answer's characters: without its header, without what follows its end."""
    header = template.render(messages[:-1], True) if len(messages) > 1 else ""
    if len(header) > start and text.startswith(header):
        start = len(header)
    trimmed = text[:end].rstrip()
    if template.end_of_turn and trimmed.endswith(template.end_of_turn):
        end = len(trimmed)
    return start, end


def _last_answer(
    messages: Sequence[Message], template: Template, text: str
) -> list[Span]:
    """The last message alone, when it is an answer that can be told from the rest."""
    if not is_learned(messages[-1]) or len(messages) < 2:
        return []
    header = template.render(messages[:-1], True)
    if not text.startswith(header):
        return []
    return [_answer(messages, template, text, 0, len(text))]
