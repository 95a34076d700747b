"""Token statistics of a split for one base model, example by example."""

from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from datasets.domain.lengths import Lengths, bucket

NEVER = -1
UNSEEN = "unseen"
"""The kind of an example whose tools or reasoning no chat template was asked about."""
MOST_REFUSALS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Measured:
    """One example in tokens.

    `first_learned` is the position of the first token that is predicted and trained on
    (NEVER if there is none), `last_end` that of the end of the last such turn. A
    `refusal` is the chat template's own, `unprinted` the kinds of what it leaves out.
    """

    tokens: int
    supervised: int
    first_learned: int = NEVER
    last_end: int = NEVER
    prefix_stable: bool = True
    refusal: str = ""
    unprinted: tuple[str, ...] = ()
    highest_token: int = 0


@dataclass(slots=True)
class Statistics:
    """Sums and histograms over a split; `dump()` gives JSON.

    `never_lengths` are those of the examples without a label, refused ones (0 tokens)
    among them: what the lengths of the sequences that are trained on are without.
    """

    tokens: int = 0
    supervised: int = 0
    refused: int = 0
    highest_token: int = 0
    unstable: int = 0
    lengths: Counter[int] = field(default_factory=Counter)
    never_lengths: Counter[int] = field(default_factory=Counter)
    unprinted: Counter[str] = field(default_factory=Counter)
    refusals: Counter[str] = field(default_factory=Counter)
    first_learned: Counter[int] = field(default_factory=Counter)
    last_end: Counter[int] = field(default_factory=Counter)

    def add(self, found: Measured) -> None:
        self.tokens += found.tokens
        self.supervised += found.supervised
        if found.refusal:
            self.refused += 1
            self._note_refusal(found.refusal)
        self.unprinted.update(found.unprinted)
        self.highest_token = max(self.highest_token, found.highest_token)
        self.unstable += not found.prefix_stable
        self.lengths[bucket(found.tokens)] += 1
        if found.first_learned == NEVER:
            self.never_lengths[bucket(found.tokens)] += 1
        self.first_learned[_bucket(found.first_learned)] += 1
        self.last_end[_bucket(found.last_end)] += 1

    def _note_refusal(self, words: str) -> None:
        """Count the template's words, as long as there are few different ones."""
        if words in self.refusals or len(self.refusals) < MOST_REFUSALS:
            self.refusals[words] += 1

    def dump(self) -> dict[str, Any]:
        return {
            "tokens": self.tokens,
            "supervised_tokens": self.supervised,
            "refused_by_template": self.refused,
            "last_answer_only": self.unstable,
            "unprinted": dict(self.unprinted),
            "refusals": dict(self.refusals.most_common()),
            "lengths": Lengths.of(self.lengths).dump(),
            "never_lengths": Lengths.of(self.never_lengths).dump(),
            "first_learned": Lengths.of(self.first_learned).dump(),
            "last_end": Lengths.of(self.last_end).dump(),
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Signal:
    """Effect of truncating at a max_length on a split, in examples."""

    examples: int
    without_label: int
    lost_end: int
    cut: int

    @property
    def trainable(self) -> int:
        return self.examples - self.without_label


def signal(
    lengths: Lengths, first_learned: Lengths, last_end: Lengths, *, max_length: int
) -> Signal:
    """How many examples have no label, lose their last end of turn, or are truncated.

    A position p survives when p < max_length. Exact for a max_length up to 32 768 and
    for every multiple of 64 up to 65 536, of 128 up to 131 072.
    """
    never = sum(n for position, n in first_learned.pairs if position == NEVER)
    without = never + first_learned.over(max_length - 1)
    ended = last_end.over(max_length - 1)
    return Signal(
        examples=lengths.count,
        without_label=without,
        lost_end=ended,
        cut=lengths.over(max_length),
    )


def _bucket(position: int) -> int:
    """A position's bucket: that of the length needed to keep it, minus one."""
    return position if position == NEVER else bucket(position + 1) - 1
