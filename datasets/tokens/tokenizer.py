"""A base model's tokenizer and chat template without the model, or an estimator."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from tokenizers import Encoding, Tokenizer

from datasets.domain.estimate import estimated_tokens
from datasets.domain.statistics import NEVER, Measured
from datasets.tokens.chat_template import ChatTemplate
from training.trainer.labels import (
    CannotRender,
    Template,
    label_conversation,
    learned_spans,
)

Row = dict[str, Any]
AHEAD = 200


class ModelTokenizer:
    """Counts and labels like the trainer, with the same `labels.py`."""

    exact = True

    def __init__(self, folder: Path) -> None:
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.no_truncation()
        self._tokenizer.no_padding()
        added = self._tokenizer.get_added_tokens_decoder()
        special = {t.content: n for n, t in added.items() if t.special}
        self._template = ChatTemplate(folder)
        self._special = special
        self.template = Template(
            render=self._template.render,
            encode=self._encode,
            ends=tuple(sorted(special)),
        )
        self._quick = QuickCount.of(self._tokenizer, special)

    @property
    def usable(self) -> bool:
        """Whether the folder has a chat template."""
        return self._template.exists

    def token(self, token_id: int) -> str:
        """The text of a single token."""
        return self._tokenizer.decode([token_id], skip_special_tokens=False)

    def is_special(self, text: str) -> bool:
        return text in self._special

    def prepare(self, row: Row) -> "Rendered":
        """The step before tokenizing: the text and the spans to train on."""
        messages, tools = row["messages"], row.get("tools")
        try:
            text = self.template.render(messages, tools, False)
            spans, stable = learned_spans(messages, self.template, text, tools)
        except CannotRender:
            return Rendered(row=row, text="", spans=[], stable=True, refused=True)
        return Rendered(row=row, text=text, spans=spans, stable=stable, refused=False)

    def measure(self, batch: "Sequence[Rendered]") -> list[Measured]:
        """Tokens of prepared rows."""
        return self.count(batch, self.encode(batch))

    def encode(self, batch: "Sequence[Rendered]") -> list[Encoding]:
        """The slow part, which releases the GIL."""
        return self._tokenizer.encode_batch_fast(
            [rendered.text for rendered in batch], add_special_tokens=False
        )

    def count(
        self, batch: "Sequence[Rendered]", encoded: Sequence[Encoding]
    ) -> list[Measured]:
        """Token counts of encoded rows; uses the quick count where it is exact."""
        return [
            self._measured(rendered, encoding)
            for rendered, encoding in zip(batch, encoded, strict=True)
        ]

    def _measured(self, rendered: "Rendered", encoding: Encoding) -> Measured:
        if rendered.refused:
            return Measured(tokens=0, supervised=0, refused=True)
        if self._quick and (found := self._quick.count(rendered, encoding)):
            return found
        return self.measure_slowly(rendered.row)

    def measure_slowly(self, row: Row) -> Measured:
        """Token counts of a row from its actual labels."""
        try:
            found = label_conversation(
                row["messages"], self.template, tools=row.get("tools")
            )
        except CannotRender:
            return Measured(tokens=0, supervised=0, refused=True)
        learned = (n for n, label in enumerate(found.labels) if n and label >= 0)
        return Measured(
            tokens=len(found.input_ids),
            supervised=found.supervised,
            first_learned=next(learned, NEVER),
            last_end=found.ends[-1] if found.ends else NEVER,
            prefix_stable=found.prefix_stable,
        )

    def _encode(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        found = self._tokenizer.encode(text, add_special_tokens=False)
        return found.ids, found.offsets


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """A row as text, with the character spans to train on."""

    row: Row
    text: str
    spans: list[tuple[int, int]]
    stable: bool
    refused: bool


class QuickCount:
    """Counts supervised tokens without tokenizer offsets, a third faster.

    A special token splits the text: what lies between two of them is tokenized alone.
    So the n-th special token of the text is the n-th among the ids, and a learned span
    that ends with one ends exactly there. Its beginning is exact when the ids behind
    the last special token before it are those of the header alone, or of the header
    with some text ahead. Where neither holds, or the tokenizer is of another kind than
    byte-level, the answer is None: ask the labels.
    """

    def __init__(self, tokenizer: Tokenizer, special: dict[str, int]) -> None:
        self._tokenizer = tokenizer
        self._special = special
        self._find = re.compile(
            "|".join(map(re.escape, sorted(special, key=len)[::-1]))
        )
        self._headers: dict[str, list[int]] = {}

    @classmethod
    def of(cls, tokenizer: Tokenizer, special: dict[str, int]) -> "QuickCount | None":
        """None for a tokenizer whose special tokens or headers break the rule."""
        added = tokenizer.get_added_tokens_decoder().values()
        plain = all(
            t.special and not (t.lstrip or t.rstrip or t.single_word or t.normalized)
            for t in added
        )
        kind = repr(tokenizer.pre_tokenizer)
        is_bytes = "ByteLevel" in kind and "add_prefix_space=True" not in kind
        return cls(tokenizer, special) if special and plain and is_bytes else None

    def count(self, rendered: Rendered, encoding: Encoding) -> Measured | None:
        """Token counts of a row, equal to `measure_slowly`, or None."""
        ids = encoding.ids
        marks = self._marks(rendered.text, ids)
        supervised, first, last = 0, NEVER, NEVER
        for start, end in rendered.spans:
            begin = self._begin(rendered.text, start, ids, marks)
            last = marks.get(end, NEVER)
            if begin is None or last == NEVER:
                return None
            supervised += last - begin + 1
            first = begin if first == NEVER else first
        return Measured(
            tokens=len(ids),
            supervised=supervised,
            first_learned=first,
            last_end=last,
            prefix_stable=rendered.stable,
        )

    def _marks(self, text: str, ids: list[int]) -> dict[int, int]:
        """Maps the end of each special token in the text to its index in the ids."""
        found, position = {}, -1
        for mark in self._find.finditer(text):
            position = ids.index(self._special[mark.group()], position + 1)
            found[mark.end()] = position
        return found

    def _begin(
        self, text: str, start: int, ids: list[int], marks: dict[int, int]
    ) -> int | None:
        """Index of the first token of a supervised span that starts at a character."""
        before = max((end for end in marks if end <= start), default=0)
        begin = marks[before] + 1 if before else 0
        header = self._header(text[before:start])
        if ids[begin : begin + len(header)] != header:
            ahead = self._tokenizer.encode(
                text[before : start + AHEAD], add_special_tokens=False
            )
            count = sum(at < start - before for at, _ in ahead.offsets)
            header = ahead.ids[:count]
            if ids[begin : begin + count] != header:
                return None
        return begin + len(header) or None

    def _header(self, text: str) -> list[int]:
        known = self._headers.get(text)
        if known is None:
            known = self._tokenizer.encode(text, add_special_tokens=False).ids
            if len(self._headers) < 1000:
                self._headers[text] = known
        return known


class EstimatedTokenizer:
    """Fallback when no tokenizer is available; `exact` is False."""

    exact = False
    usable = True

    def prepare(self, row: Row) -> Row:
        return row

    def encode(self, batch: Sequence[Row]) -> None:
        return None

    def count(self, batch: Sequence[Row], encoded: None) -> list[Measured]:
        return [estimated_tokens(row["messages"]) for row in batch]

    def measure(self, batch: Sequence[Row]) -> list[Measured]:
        return self.count(batch, None)


def tokenizer_in(folder: Path | None) -> ModelTokenizer | EstimatedTokenizer:
    """The tokenizer of a model folder, or the estimator if it has none."""
    if folder is None or not (folder / "tokenizer.json").is_file():
        return EstimatedTokenizer()
    changed = (folder / "tokenizer.json").stat().st_mtime_ns
    found = _loaded(folder, changed)
    return found if found.usable else EstimatedTokenizer()


@lru_cache(maxsize=4)
def _loaded(folder: Path, changed: int) -> ModelTokenizer:
    return ModelTokenizer(folder)
