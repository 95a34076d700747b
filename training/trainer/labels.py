"""Token ids and labels of a conversation: what is trained on, what is context only.

Standard library only, with rendering and tokenizing passed in, so that the trainer, the
worker and the web process share this file.
"""

from bisect import bisect_right
from collections import deque
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from typing import Any, Protocol

IGNORED = -100
# Renderings of a conversation's beginnings: at most as many as together write this many
# characters, where a message counts for some besides its own; a quarter of a second.
MOST_COST, MESSAGE_COST = 32_000_000, 500
FEWEST_RENDERINGS = 8
Message = dict[str, Any]
Tools = list[Any] | None
Span = tuple[int, int]


class CannotRender(ValueError):
    """The chat template rejects these messages; carries its error."""


class Traced(Protocol):
    """One rendering, and what it tells of the renderings of fewer messages.

    For c messages, the template writes `text[:cuts[c]]` and then `tail`. None, and an
    index beyond `cuts`, mean that this rendering does not tell.
    """

    @property
    def text(self) -> str: ...
    @property
    def cuts(self) -> Sequence[int | None]: ...
    @property
    def tail(self) -> str | None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Untraced:
    """A rendering that tells nothing beyond its text."""

    text: str
    cuts: Sequence[int | None] = ()
    tail: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Template:
    """A base model's chat template and tokenizer.

    `render(messages, tools, add_generation_prompt)` gives text, or raises CannotRender;
    `encode(text)` gives token ids and, for each token, the characters [start, end) of
    the text that it covers. `ends` are the texts of the special tokens: a turn ends
    with one of them, or with none. `trace`, where there is one, renders as `render`
    does and says where the messages lie (tracing.py). `opens` and `closes` are the
    texts of the tokens around plain text, which no template renders.
    """

    render: Callable[[Sequence[Message], Tools, bool], str]
    encode: Callable[[str], tuple[list[int], list[Span]]]
    ends: tuple[str, ...] = ()
    trace: Callable[[Sequence[Message], Tools, bool], Traced] | None = None
    opens: str = ""
    closes: str = ""

    def traced(
        self, messages: Sequence[Message], tools: Tools, add_generation_prompt: bool
    ) -> Traced:
        """A rendering with what is known of its prefixes. Raises CannotRender."""
        if self.trace is not None:
            return self.trace(messages, tools, add_generation_prompt)
        return Untraced(text=self.render(messages, tools, add_generation_prompt))


@dataclass(frozen=True, slots=True, kw_only=True)
class Located:
    """A conversation as text, with the characters of it that are learned.

    `prefix_stable` says that the template renders the messages up to each learned
    answer as a prefix of the whole. Where it does not, or where telling would take too
    many renderings, only the last message is learned, if it is an answer. `answers` are
    the numbers of the messages in `spans`; `silent` are those of answers of which the
    template prints nothing, so that there is nothing to learn of them. `prompted` says
    that what prompts an answer in use stands before each learned answer here, too.
    """

    text: str
    spans: list[Span]
    prefix_stable: bool
    answers: tuple[int, ...] = ()
    silent: tuple[int, ...] = ()
    prompted: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Labelled:
    """One training sequence.

    `labels` has the length of `input_ids`: the token id if it is trained on, -100 if it
    is context. `ends` are the positions of the tokens that end a trained turn,
    including truncated ones. `cut` counts the tokens lost to max_length. With
    `prefix_stable` false only the last answer is trained on.
    """

    input_ids: list[int]
    labels: list[int]
    ends: tuple[int, ...]
    cut: int
    prefix_stable: bool

    @property
    def supervised(self) -> int:
        """Tokens with a label. The first of a sequence is never predicted."""
        return sum(label != IGNORED for label in self.labels[1:])

    @property
    def lost_end(self) -> bool:
        """Whether the end of the last trained turn was truncated."""
        return bool(self.ends) and self.ends[-1] >= len(self.input_ids)

    def cut_at(self, max_length: int) -> "Labelled":
        """The sequence truncated to max_length tokens."""
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
    """Ids and labels of one conversation, truncated at max_length tokens.

    Labels cover assistant messages whose `weight` is not 0, each from the first token
    after its header up to and including its end-of-turn token. A token that crosses a
    boundary has a label only if it starts inside. Raises ValueError without messages,
    CannotRender if the template rejects them.
    """
    located = locate(messages, template, tools)
    whole = label_text(located, template.encode, template.ends)
    return whole if max_length is None else whole.cut_at(max_length)


def label_text(
    located: Located,
    encode: Callable[[str], tuple[list[int], list[Span]]],
    ends: tuple[str, ...],
) -> Labelled:
    """Ids and labels of a conversation whose learned characters are known."""
    text = located.text
    ids, offsets = encode(text)
    labels = [IGNORED] * len(ids)
    last_in: dict[Span, int] = {}
    borders, owners = _owners(located.spans)
    for position, (start, end) in enumerate(offsets):
        span = owners[bisect_right(borders, start)]
        if end > start and span is not None:
            labels[position] = ids[position]
            last_in[span] = position
    ended = (p for s, p in last_in.items() if text.endswith(ends, 0, s[1]))
    return Labelled(
        input_ids=ids,
        labels=labels,
        ends=tuple(ended) if ends else (),
        cut=0,
        prefix_stable=located.prefix_stable,
    )


def _owners(spans: Sequence[Span]) -> tuple[list[int], list[Span | None]]:
    """The borders of the spans in order, and whose the characters before each are.

    Of spans that overlap, the first one given owns what they share.
    """
    ordered = sorted(range(len(spans)), key=lambda n: spans[n][0])
    borders = sorted({border for start, end in spans for border in (start, end)})
    owners: list[Span | None] = [None]
    waiting = deque(ordered)
    open_ones: list[int] = []
    for border in borders:
        while waiting and spans[waiting[0]][0] <= border:
            heappush(open_ones, waiting.popleft())
        while open_ones and spans[open_ones[0]][1] <= border:
            heappop(open_ones)
        owners.append(spans[open_ones[0]] if open_ones else None)
    return borders, owners


def is_learned(message: Message) -> bool:
    """An assistant's message, unless its weight is 0."""
    return bool(message["role"] == "assistant" and message.get("weight", 1) != 0)


def locate(
    messages: Sequence[Message], template: Template, tools: Tools = None
) -> Located:
    """Where the learned answers lie in the rendered text.

    Raises ValueError without messages, CannotRender when the template refuses them.
    """
    if not messages:
        raise ValueError("A conversation needs at least one message.")
    if is_plain_text(messages, tools):
        return _plain_text(str(messages[0]["content"]), template)
    turns = Turns(messages, template, tools)
    stable, found = True, {}
    try:
        found = {n: turns.span(n) for n, m in enumerate(messages) if is_learned(m)}
    except NotStable:
        stable, found = False, turns.last_answer()
    silent = {n for n, span in found.items() if turns.is_silent(n, span)}
    answers = tuple(n for n in found if n not in silent)
    return Located(
        text=turns.text,
        spans=[found[n] for n in answers],
        prefix_stable=stable,
        answers=answers,
        silent=tuple(sorted(silent)),
        prompted=turns.prompted,
    )


def is_plain_text(messages: Sequence[Message], tools: Tools) -> bool:
    """An answer alone, to no question: text to go on from, not a turn of a chat.

    A template would put its system prompt and its headers around it.
    """
    if len(messages) != 1 or tools or not is_learned(messages[0]):
        return False
    return set(messages[0]) <= {"role", "content", "weight"}


def _plain_text(content: str, template: Template) -> Located:
    """All of it is learned, with the token that ends it."""
    text = f"{template.opens}{content}{template.closes}"
    spans = [(len(template.opens), len(text))] if content.strip() else []
    return Located(
        text=text,
        spans=spans,
        prefix_stable=True,
        answers=(0,) * len(spans),
        silent=() if spans else (0,),
    )


def opening_of(template_source: str, bos_token: str | None) -> str:
    """The token that opens a text: the one that the chat template opens a chat with."""
    return bos_token or "" if "bos_token" in template_source else ""


class NotStable(Exception):
    """The template does not render these messages turn after turn."""


class Turns:
    """Finds each answer in the rendered text.

    The text of the first c messages is read off the one rendering of all where that
    tells it; else they are rendered alone, at a cost that is bounded: a conversation
    that needs more counts as not stable.
    """

    def __init__(
        self, messages: Sequence[Message], template: Template, tools: Tools
    ) -> None:
        self._messages, self._template, self._tools = messages, template, tools
        whole = template.traced(messages, tools, False)
        self.text = whole.text
        self.prompted = True
        tail, ends = whole.tail or "", template.ends
        # Behind the last turn, which has a closing token of its own, there may only be
        # one that closes the conversation (Phi-3): more would be part of the turn.
        last_turn = self.text[: len(self.text) - len(tail)].rstrip()
        closes = tail.rstrip() in ends and last_turn.endswith(ends)
        self._cuts = whole.cuts if whole.tail == "" or closes else ()
        self._closing = tail if closes else ""
        self._last = max(
            (n for n, m in enumerate(messages) if is_learned(m)), default=0
        )
        self._prompt: Traced | None = None
        self._agrees: bool | None = None
        self._solid = (0, 0)
        cost = len(self.text) + MESSAGE_COST * len(messages)
        self._renderings = max(MOST_COST // max(cost, 1), FEWEST_RENDERINGS)

    def span(self, number: int) -> Span:
        """The characters of an answer: behind its header, with its closing token.

        Raises NotStable, CannotRender.
        """
        whole = number + 1 == len(self._messages)
        end = len(self.text) if whole else self._length(number + 1)
        start = self._start(number, end)
        return start, self._last_end(start) if whole else self._end(end)

    def last_answer(self) -> dict[int, Span]:
        """The last message alone, when it is an answer and can be told."""
        messages, last = self._messages, len(self._messages) - 1
        if not is_learned(messages[last]) or last < 1:
            return {}
        header = self._header(last).text
        if self.text.startswith(header):
            return {last: (len(header), self._last_end(len(header)))}
        self.prompted = False
        start = self.text.rfind(_words(messages[last]))
        return {last: (start, self._last_end(start))} if start > 0 else {}

    def is_silent(self, number: int, span: Span) -> bool:
        """Whether the template prints nothing of an answer: no words and no call."""
        part, message = self.text[slice(*span)].strip(), self._messages[number]
        while end := next((e for e in self._template.ends if part.endswith(e)), ""):
            part = part[: -len(end)].rstrip()
        names = [call_name(call) for call in message.get("tool_calls") or ()]
        unsaid = names and not _words(message) and not any(n in part for n in names)
        return not part or bool(unsaid)

    def _last_end(self, start: int) -> int:
        """The end of the last message: before what closes the whole conversation.

        That is learned only where the turn itself has no closing token (Phi-3 ends each
        turn with one token and the conversation with another).
        """
        text, ends, end = self.text, self._template.ends, self._end(len(self.text))
        last = next((e for e in ends if text.endswith(e, 0, end)), "")
        before = len(text[: end - len(last)].rstrip()) if last else 0
        if before <= start or not text.endswith(ends, 0, before):
            return end
        closes = len(self._messages) > 1 and self._is_closing(text[end - len(last) :])
        return before if closes else end

    def _is_closing(self, closing: str) -> bool:
        """Whether these last characters also close a conversation of one message."""
        if not self._closing:
            with suppress(NotStable, CannotRender):
                self._length(1)
        return self._closing == closing

    def _length(self, count: int) -> int:
        """How much of the text the first messages are."""
        known = self._cuts[count] if count < len(self._cuts) else None
        if known is not None:
            return known
        self._spend()
        rendered = self._template.render(self._messages[:count], self._tools, False)
        if self.text.startswith(rendered):
            return len(rendered)
        return self._unclosed(rendered)

    def _unclosed(self, rendered: str) -> int:
        """The length of a rendering without what closes it, as the whole is closed."""
        solid, end_tokens = self.text.rstrip(), self._template.ends
        for end in end_tokens:
            closing = self.text[len(solid) - len(end) :] if solid.endswith(end) else ""
            before = rendered.removesuffix(closing)
            is_turn = before != rendered and before.rstrip().endswith(end_tokens)
            if is_turn and self.text.startswith(before):
                self._closing = closing
                return len(before)
        raise NotStable

    def _start(self, number: int, end: int) -> int:
        """Where a message begins behind its header.

        The header is what the template adds to prompt an answer.
        """
        if number == 0:
            return self._opening(end)
        if (prompt := self._known_prompt(number)) is not None:
            before = self._length(number)
            behind = self.text[before : before + len(prompt)]
            common = _common(prompt, behind, end - before)
            self.prompted &= common >= len(prompt.rstrip())
            return before + common
        header = self._header(number).text
        if len(header) <= end and self.text.startswith(header):
            return len(header)
        if self._length(number) > end:
            raise NotStable
        self.prompted = False
        return _common(header, self.text, end)

    def _opening(self, end: int) -> int:
        """Where an answer that opens the conversation begins.

        Nothing prompts it: the header is what prompts the answer after it. Where that
        does not stand before it, its own words are looked for, from the end, since they
        may also occur in a system prompt that the template adds.
        """
        first = self._messages[:1]
        self._spend()
        try:
            before = self._template.render(first, self._tools, False)
            after = self._template.render(first, self._tools, True)
            header = after.removeprefix(before) if after.startswith(before) else ""
        except CannotRender:
            header = ""
        words = _words(first[0])
        at = self.text.find(header, 0, end) if header else -1
        if at >= 0 and self.text.find(words, at + len(header), end) >= 0:
            return at + len(header)
        return max(self.text.rfind(words, 0, end), 0) if words else 0

    def _known_prompt(self, number: int) -> str | None:
        """What prompts an answer, when two renderings tell it for all of them.

        The prompted rendering must agree with the whole up to where its loop ended: the
        prompt then changes nothing before, and is the same after any turn.
        """
        if number >= len(self._cuts) or self._cuts[number] is None:
            return None
        try:
            found = self._header(self._last)
        except CannotRender:
            return None
        if found.tail is None or found.cuts[number] != self._cuts[number]:
            return None
        if self._agrees is None:
            before = found.text[: len(found.text) - len(found.tail)]
            self._agrees = self.text.startswith(before)
        return found.tail if self._agrees else None

    def _header(self, number: int) -> Traced:
        """The messages before a number with a prompt for the next one."""
        if number == self._last and self._prompt is not None:
            return self._prompt
        if number != self._last:
            self._spend()
        found = self._template.traced(self._messages[:number], self._tools, True)
        if number == self._last:
            self._prompt = found
        return found

    def _end(self, length: int) -> int:
        """An answer's end: with its closing token, without white space behind that."""
        text, ends, end = self.text, self._template.ends, length
        looked_at, solid = self._solid
        while end > looked_at and text[end - 1].isspace():
            end -= 1
        if end == looked_at:
            end = solid
        self._solid = length, end
        return end if ends and text.endswith(ends, 0, end) else length

    def _spend(self) -> None:
        self._renderings -= 1
        if self._renderings < 0:
            raise NotStable


def _common(one: str, other: str, most: int) -> int:
    """How many characters two texts begin with alike, at most `most`."""
    low, high = 0, min(len(one), len(other), most)
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def call_name(call: Any) -> str:
    """The name of the function that a tool call calls."""
    call = call if isinstance(call, dict) else {}
    inner = call.get("function")
    return str((inner if isinstance(inner, dict) else call).get("name") or "")


def _words(message: Message) -> str:
    return str(message.get("content") or "").strip()
