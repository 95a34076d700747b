"""One rendering of a chat template that tells what it gives for fewer messages.

A template is a program that reads the messages one after another. Up to the moment at
which it first asks for message number c, it cannot tell a conversation of c messages
from a longer one: what it has written until then, it writes for both. Where its own
loop asks, the shorter conversation ends there, and what stands behind the loop follows.
So it is enough to note how much was written when each message was asked for, and by
whom. A look ahead (`loop.last`, `messages|length`, `messages[-1]`) proves nothing about
the conversations that it looks beyond, and they are left unknown.

What stands behind the loop is the same after any number of messages only when nothing
was kept from turn to turn: a template with a `namespace` is not traced.

Jinja alone is needed, so that the console and the trainer use this very file.
"""

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from jinja2 import Environment, Template, nodes
from jinja2.runtime import LoopContext

KEPT_FROM_TURN_TO_TURN = {"namespace", "cycler", "joiner", "lipsum"}
LOOP = LoopContext.__next__.__code__


class TooLong(ValueError):
    """The template writes more than it may."""


@dataclass(frozen=True, slots=True)
class Trace:
    """A text; `text[:cuts[c]] + tail` is what c messages give, None where unknown."""

    text: str
    cuts: list[int | None]
    tail: str | None


def is_traceable(environment: Environment, source: str) -> bool:
    """Whether a template keeps nothing from turn to turn."""
    tree = environment.parse(source)
    names = {name.name for name in tree.find_all(nodes.Name)}
    otherwise = any(loop.else_ for loop in tree.find_all(nodes.For))
    return not (names & KEPT_FROM_TURN_TO_TURN or otherwise)


def trace(
    template: Template,
    variables: dict[str, Any],
    messages: Sequence[Any],
    most_characters: int = sys.maxsize,
) -> Trace:
    """Render the messages with a compiled template. Raises what the template raises."""
    watch = Watch(len(messages), template.root_render_func.__code__)
    watched = {**variables, "messages": Watched(messages, 0, watch)}
    text = write(template, watched, most_characters, watch)
    end = watch.end
    tail = None if end is None or watch.looked_later else text[end:]
    return Trace(text, watch.cuts, tail)


def write(
    template: Template,
    variables: dict[str, Any],
    most_characters: int = sys.maxsize,
    watch: "Watch | None" = None,
) -> str:
    """As template.render(). Raises TooLong, and what the template raises."""
    counter = watch or Watch(0, None)
    pieces = []
    # Without copying the variables once more, as template.render() would.
    context = template.new_context({**template.globals, **variables}, shared=True)
    for piece in template.root_render_func(context):
        pieces.append(piece)
        counter.written += len(piece)
        if counter.written > most_characters:
            raise TooLong(f"it writes more than {most_characters:,} characters")
    return "".join(pieces)


class Watch:
    """What a rendering has written, and which messages it has asked for."""

    def __init__(self, count: int, root: Any) -> None:
        self.written = 0
        self.cuts: list[int | None] = []
        self.end: int | None = None
        self.looked_later = False
        self.count = count
        self.root = root
        self._loop: Any = None

    def asked(self, number: int, loop: Any = None) -> None:
        """A message was asked for, by the template's own loop or otherwise.

        Behind the last message stands the end of the loop. What an earlier loop asked
        for tells nothing: a shorter conversation would have gone on from there.
        """
        if self.end is not None:
            self.looked_later = True
            return
        if loop is not None and loop is not self._loop:
            self.cuts = [None] * len(self.cuts)
            self._loop = loop
        if (unknown := number + 1 - len(self.cuts)) > 0:
            self.cuts += [None if loop is None else self.written] * unknown
        if number == self.count and loop is not None:
            self.end = self.written

    def asked_for_all(self) -> None:
        """How many messages there are may have been learned."""
        self.asked(self.count)


class Watched(Sequence[Any]):
    """The messages from one on, as a template sees them: a list that tells."""

    def __init__(self, items: Sequence[Any], first: int, watch: Watch) -> None:
        self._items, self._first, self._watch = items, first, watch

    def __iter__(self) -> Iterator[Any]:
        return Walk(self._items, self._first, self._watch)

    def __getitem__(self, key: Any) -> Any:
        if isinstance(key, slice):
            start = key.start or 0
            if key.step is None and key.stop is None and start >= 0:
                return Watched(self._items, self._first + start, self._watch)
            return self._all()[key]
        if isinstance(key, int) and key >= 0:
            self._watch.asked(min(self._first + key, self._watch.count))
            return self._items[self._first + key]
        return self._all()[key]

    def __len__(self) -> int:
        self._watch.asked_for_all()
        return max(len(self._items) - self._first, 0)

    def __bool__(self) -> bool:
        self._watch.asked(min(self._first, self._watch.count))
        return self._first < len(self._items)

    def __add__(self, other: Any) -> Any:
        return self._all() + other

    def __radd__(self, other: Any) -> Any:
        return other + self._all()

    def __eq__(self, other: object) -> bool:
        return self._all() == other

    __hash__ = None  # type: ignore[assignment]

    def __repr__(self) -> str:
        return repr(self._all())

    def _all(self) -> list[Any]:
        self._watch.asked_for_all()
        return list(self._items[self._first :])


class Walk(Iterator[Any]):
    """Message after message, each noted with who asked."""

    def __init__(self, items: Sequence[Any], first: int, watch: Watch) -> None:
        self._items, self._at, self._watch = items, min(first, len(items)), watch

    def __next__(self) -> Any:
        caller = sys._getframe(1)
        if caller.f_code is LOOP and caller.f_back is not None:
            caller = caller.f_back
        own = caller.f_code is self._watch.root
        self._watch.asked(self._at, self if own else None)
        if self._at >= len(self._items):
            raise StopIteration
        self._at += 1
        return self._items[self._at - 1]
