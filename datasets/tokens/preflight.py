"""The training signal of one example, from the trainer's own labels."""

from dataclasses import dataclass, field
from typing import Any

from datasets.domain.counts import in_example
from datasets.long_rows import part_of
from datasets.models import Dataset
from datasets.rows import line_at
from datasets.tokens.base_models import tokenizer_of
from datasets.tokens.tokenizer import ModelTokenizer
from training.trainer.labels import IGNORED, CannotRender, Labelled

MAX_SHOWN = 5000
SHOWN_BEYOND = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token for display: the text it covers and whether it is trained on."""

    id: int
    text: str
    learned: bool
    special: bool
    ends_turn: bool
    cut: bool

    @property
    def classes(self) -> str:
        """CSS classes that style it."""
        names = ("learned", "special", "ends_turn", "cut")
        return " ".join(n.replace("_", "-") for n in names if getattr(self, n))


@dataclass(slots=True, kw_only=True)
class Preflight:
    """An example as the trainer sees it.

    `missing` says why there are no tokens: no such example, no tokenizer available, or
    the chat template's own error. `left_out` says what of a long example was not looked
    at: its length and what is cut are then at least as much as said. `warnings` say
    what the chat template leaves out of it, or does otherwise in use.
    """

    example: int
    split: str
    base_model: str
    max_length: int
    messages: list[dict[str, Any]] = field(default_factory=list)
    tokens: list[Token] = field(default_factory=list)
    supervised: int = 0
    length: int = 0
    cut: int = 0
    lost_end: bool = False
    prefix_stable: bool = True
    missing: str = ""
    left_out: str = ""
    warnings: list[str] = field(default_factory=list)

    @property
    def kept(self) -> list[Token]:
        """The tokens that are trained on: exactly the trainer's input ids."""
        return [token for token in self.tokens if not token.cut]

    @property
    def shown(self) -> list[Token]:
        """Those plus the first truncated ones, as many as fit on a page."""
        return self.tokens[:MAX_SHOWN]

    @property
    def hidden(self) -> int:
        return self.length - len(self.shown)

    def as_dict(self) -> dict[str, Any]:
        """The response of the API."""
        kept = self.kept
        return {
            "example": self.example,
            "split": self.split,
            "base_model": self.base_model,
            "max_length": self.max_length,
            "missing": self.missing or None,
            "left_out": self.left_out or None,
            "messages": self.messages,
            "input_ids": [token.id for token in kept],
            "labels": [token.id if token.learned else IGNORED for token in kept],
            "tokens": [token.text for token in kept],
            "end_of_turn": [n for n, token in enumerate(kept) if token.ends_turn],
            "supervised_tokens": self.supervised,
            "cut": self.cut,
            "lost_end": self.lost_end,
            "prefix_stable": self.prefix_stable,
            "warnings": self.warnings,
        }


def preflight(
    dataset: Dataset, *, example: int, split: str, base_model: str, max_length: int
) -> Preflight:
    """The example with this number, from 1, as the trainer sees it."""
    found = Preflight(
        example=example, split=split, base_model=base_model, max_length=max_length
    )
    line = line_at(dataset, split, example - 1)
    if line is None:
        found.missing = f"The {split} split has no example {example:,}."
        return found
    part = part_of(line)
    found.messages, found.left_out = part.row["messages"], part.left_out
    tokenizer = tokenizer_of(base_model)
    if not isinstance(tokenizer, ModelTokenizer):
        found.missing = (
            f"No tokenizer with a chat template for {base_model} is on this machine. "
            "The first run downloads it, or add the model's folder."
        )
        return found
    try:
        look_at(found, part.row, tokenizer)
    except CannotRender as error:
        found.missing = f"The chat template rejects this example: {error}"
    found.lost_end = found.lost_end or part.loses_learned
    return found


def look_at(found: Preflight, row: dict[str, Any], tokenizer: ModelTokenizer) -> None:
    """Fill in the tokens. Raises CannotRender."""
    rendered = tokenizer.prepare(row)
    if rendered.refused:
        raise CannotRender(rendered.refusal)
    whole = tokenizer.label(rendered)
    cut = whole.cut_at(found.max_length)
    found.tokens = _tokens(whole, tokenizer, rendered.text, len(cut.input_ids))
    found.length, found.cut = len(whole.input_ids), cut.cut
    found.supervised, found.lost_end = cut.supervised, cut.lost_end
    found.prefix_stable = whole.prefix_stable
    found.warnings = [in_example(kind) for kind in rendered.unprinted]


def _tokens(
    labelled: Labelled, tokenizer: ModelTokenizer, text: str, kept: int
) -> list[Token]:
    _, offsets = tokenizer.encode_with_places(text)
    ends, tokens, before = set(labelled.ends), [], (-1, -1)
    wanted = labelled.input_ids[: kept + SHOWN_BEYOND]
    for position, (token, span) in enumerate(zip(wanted, offsets, strict=False)):
        part = text[slice(*span)]
        tokens.append(
            Token(
                id=token,
                text="\N{HORIZONTAL ELLIPSIS}" if span == before else part,
                learned=labelled.labels[position] != IGNORED,
                special=tokenizer.is_special(part),
                ends_turn=position in ends,
                cut=position >= kept,
            )
        )
        before = span
    return tokens
