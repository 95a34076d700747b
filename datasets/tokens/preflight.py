"""The training signal of one example, by the trainer's own labels."""

from dataclasses import dataclass, field
from typing import Any

from datasets.models import Dataset
from datasets.rows import row_at
from datasets.tokens.base_models import tokenizer_of
from datasets.tokens.tokenizer import ModelTokenizer
from training.trainer.labels import IGNORED, CannotRender, Labelled

MAX_SHOWN = 5000
SHOWN_BEYOND = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Token:
    """A token as it is shown: what of the text it covers, and what becomes of it."""

    id: int
    text: str
    learned: bool
    special: bool
    ends_turn: bool
    cut: bool

    @property
    def classes(self) -> str:
        """The words that style it."""
        names = ("learned", "special", "ends_turn", "cut")
        return " ".join(n.replace("_", "-") for n in names if getattr(self, n))


@dataclass(slots=True, kw_only=True)
class Preflight:
    """What the trainer will see of an example.

    `missing` says why there are no tokens: no such example, no tokenizer at hand, or
    the chat template's own words.
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

    @property
    def kept(self) -> list[Token]:
        """The tokens that are trained on: exactly the trainer's input ids."""
        return [token for token in self.tokens if not token.cut]

    @property
    def shown(self) -> list[Token]:
        """Those and the first that were cut, as many as a page bears."""
        return self.tokens[:MAX_SHOWN]

    @property
    def hidden(self) -> int:
        return self.length - len(self.shown)

    def as_dict(self) -> dict[str, Any]:
        """For the API."""
        kept = self.kept
        return {
            "example": self.example,
            "split": self.split,
            "base_model": self.base_model,
            "max_length": self.max_length,
            "missing": self.missing or None,
            "messages": self.messages,
            "input_ids": [token.id for token in kept],
            "labels": [token.id if token.learned else IGNORED for token in kept],
            "tokens": [token.text for token in kept],
            "end_of_turn": [n for n, token in enumerate(kept) if token.ends_turn],
            "supervised_tokens": self.supervised,
            "cut": self.cut,
            "lost_end": self.lost_end,
            "prefix_stable": self.prefix_stable,
        }


def preflight(
    dataset: Dataset, *, example: int, split: str, base_model: str, max_length: int
) -> Preflight:
    """The example with this number, from 1 on, as the trainer will see it."""
    found = Preflight(
        example=example, split=split, base_model=base_model, max_length=max_length
    )
    row = row_at(dataset, split, example - 1)
    if row is None:
        found.missing = f"There is no example {example:,} in the {split} split."
        return found
    found.messages = row["messages"]
    tokenizer = tokenizer_of(base_model)
    if not isinstance(tokenizer, ModelTokenizer):
        found.missing = (
            f"No tokenizer of {base_model} with a chat template is on this machine: "
            "it comes with the first run, or with the model's folder."
        )
        return found
    try:
        look_at(found, row, tokenizer)
    except CannotRender as error:
        found.missing = f"The chat template refuses this example: {error}"
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
