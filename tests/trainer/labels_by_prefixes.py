"""What is learned and what is only read: token ids and labels of a conversation.

Standard library only, with rendering and tokenizing passed in, so that the trainer, the
worker and the web process use this very file.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

IGNORED = -100
Message = dict[str, Any]
Tools = list[Any] | None
Span = tuple[int, int]


class CannotRender(ValueError):
    """The chat template refuses these messages; carries its words."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A base model's chat template and tokenizer.

    `render(messages, tools, add_generation_prompt)` gives text, or raises CannotRender;
    `encode(text)` gives token ids and, for each token, the characters [start, end) of
    the text that it covers. `ends` are the texts of the special tokens: a turn ends
    with one of them, or with none.
    """

    render: Callable[[Sequence[Message], Tools, bool], str]
    encode: Callable[[str], tuple[list[int], list[Span]]]
    ends: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One training sequence.

    `labels` has the length of `input_ids`: the token's id where it is learned, -100
    where it is only read. `ends` are the positions of the tokens that end a learned
    turn, also of those that were cut off. `cut` counts the tokens lost to max_length.
    With `prefix_stable` false only the last answer is learned.
    """

    input_ids: list[int]
    labels: list[int]
    ends: tuple[int, ...]
    cut: int
    prefix_stable: bool

    @property
    def supervised(self) -> int:
        """Tokens that are learned. The first of a sequence is never predicted."""
        return sum(label != IGNORED for label in self.labels[1:])

    @property
    def lost_end(self) -> bool:
        """Whether the end of the last learned turn was cut off."""
        return bool(self.ends) and self.ends[-1] >= len(self.input_ids)

    def cut_at(self, max_length: int) -> "Labelled":
        """The same sequence with at most max_length tokens."""
        return replace(
            self,
            input_ids=self.input_ids[:max_length],
            labels=self.labels[:max_length],
            cut=self.cut + max(len(self.input_ids) - max_length, 0),
        )


def label_conversation(
    messages: Sequence[Message],
    template: Template,
    *,
    max_length: int | None = None,
    tools: Tools = None,
) -> Labelled:
    """Ids and labels of one conversation, cut at max_length tokens.

    Learned are the assistant's messages whose `weight` is not 0, each from the first
    token after its header up to and with the end of its turn. A token that lies across
    a border is learned only when it begins inside. Raises ValueError without messages,
    CannotRender when the template refuses them.
    """
    if not messages:
        raise ValueError("A conversation needs at least one message.")
    text = template.render(messages, tools, False)
    spans, stable = learned_spans(messages, template, text, tools)
    ids, offsets = template.encode(text)
    labels = [IGNORED] * len(ids)
    last_in: dict[Span, int] = {}
    for position, (start, end) in enumerate(offsets):
        span = next((s for s in spans if s[0] <= start < s[1]), None)
        if end > start and span is not None:
            labels[position] = ids[position]
            last_in[span] = position
    ended = (p for s, p in last_in.items() if text[: s[1]].endswith(template.ends))
    whole = Labelled(
        input_ids=ids,
        labels=labels,
        ends=tuple(ended) if template.ends else (),
        cut=0,
        prefix_stable=stable,
    )
    return whole if max_length is None else whole.cut_at(max_length)


def learned_spans(
    messages: Sequence[Message], template: Template, text: str, tools: Tools = None
) -> tuple[list[Span], bool]:
    """The characters of the rendered text that are learned, and prefix stability.

    Stable is a template that renders the messages up to each learned answer as a prefix
    of the whole. Where it is not, only the last message is learned, if it is an answer.
    """
    spans = []
    for number, message in enumerate(messages):
        if not is_learned(message):
            continue
        upto = messages[: number + 1]
        whole = number + 1 == len(messages)
        rendered = text if whole else template.render(upto, tools, False)
        start = _start(upto, template, rendered, tools)
        if not text.startswith(rendered) or start is None:
            return _last_answer(messages, template, text, tools), False
        spans.append((start, _end(rendered, template.ends)))
    return spans, True


def is_learned(message: Message) -> bool:
    """An assistant's message, unless its weight is 0."""
    return bool(message["role"] == "assistant" and message.get("weight", 1) != 0)


def _start(
    messages: Sequence[Message], template: Template, text: str, tools: Tools
) -> int | None:
    """Where the last message begins behind its header; None when it cannot be told.

    The header is what the template adds to prompt an answer. A conversation that begins
    with an answer has no such prompt: there the answer's own words are looked for.
    """
    if len(messages) == 1:
        return max(text.find(_words(messages[0])), 0)
    header = template.render(messages[:-1], tools, True)
    if text.startswith(header):
        return len(header)
    before = template.render(messages[:-1], tools, False)
    if not text.startswith(before):
        return None
    pairs = enumerate(zip(header, text, strict=False))
    return next((n for n, (a, b) in pairs if a != b), len(text))


def _end(text: str, ends: tuple[str, ...]) -> int:
    """An answer's end: with its closing token, without white space behind that."""
    trimmed = text.rstrip()
    return len(trimmed) if ends and trimmed.endswith(ends) else len(text)


def _last_answer(
    messages: Sequence[Message], template: Template, text: str, tools: Tools
) -> list[Span]:
    """The last message alone, when it is an answer that can be told from the rest."""
    if not is_learned(messages[-1]) or len(messages) < 2:
        return []
    end = _end(text, template.ends)
    header = template.render(messages[:-1], tools, True)
    if text.startswith(header):
        return [(len(header), end)]
    start = text.rfind(_words(messages[-1]))
    return [(start, end)] if start > 0 else []


def _words(message: Message) -> str:
    return str(message.get("content") or "").strip()
