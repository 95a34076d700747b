"""A train split in one base model's tokens: what of it is trained on, what is wrong."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from datasets.domain.lengths import Lengths
from datasets.domain.statistics import NEVER, UNSEEN
from training.domain.catalogue.suitability import ModelFacts
from training.trainer import printed

FIELDS = (
    "base_model", "exact", "examples", "tokens", "refused_by_template",
    "last_answer_only", "lengths", "never_lengths", "first_learned", "unprinted",
    "refusals", "model_facts",
)  # fmt: skip
KINDS = {
    printed.ANSWER: "the chat template leaves out or changes words of an answer: the "
    "model would learn something else",
    printed.CALL: "the chat template does not print the tool calls: they are not "
    "learned",
    printed.REASONING: "the chat template does not print the reasoning: it is not "
    "learned",
    printed.SYSTEM: "the chat template does not print the system prompt",
    printed.TOOLS: "the chat template does not print the tools: calls would be learned "
    "without having seen what can be called",
    printed.CONTEXT: "the chat template leaves out or changes what others than the "
    "assistant said",
    printed.END: "no special token ends an answer: the model would not learn to stop",
    printed.PROMPT: "the chat template prompts an answer otherwise in use than in "
    "training, as reasoning models do that open <think> themselves: training and use "
    "differ",
    UNSEEN: "no tokenizer is on this machine, so that it is not known whether the chat "
    "template prints their tools, tool calls and reasoning",
    printed.SPECIAL: "a text spells a special token of the model, which becomes a real "
    "one",
}
"""What is wrong with examples, in words that follow a number of them."""


def in_example(kind: str) -> str:
    """What is wrong with one example, as a sentence."""
    words = KINDS[kind]
    return f"{words[0].upper()}{words[1:]}."


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """The statistics of a train split for one base model, as stored.

    `exact` is false where no tokenizer was at hand; `lengths`, `never_lengths` and
    `first_learned` are pairs of a number of tokens and a number of examples.
    """

    base_model: str
    exact: bool
    examples: int
    tokens: int
    refused_by_template: int = 0
    last_answer_only: int = 0
    lengths: list[list[int]] = field(default_factory=list)
    never_lengths: list[list[int]] = field(default_factory=list)
    first_learned: list[list[int]] = field(default_factory=list)
    unprinted: Mapping[str, int] = field(default_factory=dict)
    refusals: Mapping[str, int] = field(default_factory=dict)
    model_facts: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def load(cls, stored: Mapping[str, Any]) -> "Counts":
        """From a row's fields, as JSON or as they are."""
        return cls(**{name: stored[name] for name in FIELDS})

    def pairs_at(self, max_length: int) -> int:
        """The sequences that keep a label when truncated at max_length."""
        starts = [pair for pair in self.first_learned if pair[0] != NEVER]
        found = Lengths.load(starts)
        return found.count - found.over(max_length - 1)

    def trained_lengths(self, max_length: int) -> list[tuple[int, int]]:
        """The full lengths of the sequences that are trained on, with their numbers.

        A sequence whose first label lies beyond max_length is longer than that, so that
        leaving out the longest ones is exact once all are truncated.
        """
        never = {length: count for length, count in self.never_lengths}  # noqa: C416 - pairs are lists
        kept = [[n, c - never.get(n, 0)] for n, c in self.lengths]
        excess = sum(count for _, count in kept) - self.pairs_at(max_length)
        kept = [pair for pair in kept if pair[1] > 0]
        while excess > 0 and kept:
            length, count = kept.pop()
            if count > excess:
                kept.append([length, count - excess])
            excess -= count
        return [(length, count) for length, count in kept]

    @property
    def facts(self) -> ModelFacts:
        """What the base model's folder said when it was asked."""
        return ModelFacts(**self.model_facts)

    def longest_at(self, max_length: int) -> int:
        """The longest sequence that is trained on, truncated at max_length."""
        lengths = self.trained_lengths(max_length)
        return min(lengths[-1][0], max_length) if lengths else 0

    def obstacles(self, max_length: int) -> list[str]:
        """Why this base model cannot be trained on it, with the way out."""
        return list(self.facts.obstacles(self.longest_at(max_length)))

    @property
    def is_mostly_refused(self) -> bool:
        """Whether the chat template rejects more than three quarters of them."""
        return 4 * self.refused_by_template > 3 * self.examples

    @property
    def refusal_words(self) -> str:
        """The template's own words, with how often each, the most frequent first."""
        few = list(self.refusals.items())[:3]
        return "; ".join(f"“{words}” ({count:,})" for words, count in few)

    def said_at(self, max_length: int) -> Iterator[str]:
        """All warnings and obstacles of a job with this max_length."""
        for words in self.obstacles(max_length):
            yield f"{self.base_model} cannot be trained on this. {words}"
        yield from self.warnings()
        for words in self.facts.cautions(self.longest_at(max_length)):
            yield f"{self.base_model}: {words}."

    def warnings(self) -> Iterator[str]:
        """What an owner has to know before training this base model, as sentences."""
        if self.refused_by_template:
            yield (
                f"{self.of_examples(self.refused_by_template)} are rejected by the "
                f"chat template of {self.base_model} and left out: "
                f"{self.refusal_words}."
            )
        if self.last_answer_only:
            yield (
                f"{self.of_examples(self.last_answer_only)}: the chat template of "
                f"{self.base_model} rewrites earlier turns, so only the last answer is "
                "trained on."
            )
        for kind, words in KINDS.items():
            if number := self.unprinted.get(kind):
                yield f"{self.of_examples(number)}, by {self.base_model}: {words}."

    def of_examples(self, number: int) -> str:
        """A share of the examples: "3 of 22 examples"."""
        return f"{number:,} of {self.examples:,} examples"
