"""A base model's tokenizer and chat template without the model, or an estimator."""

import re
from bisect import bisect_right
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import msgspec
from tokenizers import Encoding, Tokenizer

from datasets.domain.estimate import estimated_tokens
from datasets.domain.statistics import NEVER, Measured
from datasets.tokens.chat_template import version_of
from datasets.tokens.model_folder import facts_of
from datasets.tokens.renderer import Patience, Rendered, Renderer
from training.domain.catalogue.suitability import ModelFacts
from training.trainer.labels import Labelled, Located, label_text

Row = dict[str, Any]
_encode = msgspec.json.encode
_decode = msgspec.json.Decoder().decode
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
        self._special = special
        self._ends = tuple(sorted(special))
        self._renderer = Renderer(folder, version_of(folder), self._ends)
        self.facts = facts_of(folder)
        self._quick = QuickCount.of(self._tokenizer, special)

    def is_special(self, text: str) -> bool:
        return text in self._special

    def prepare(self, row: Row) -> Rendered:
        """The step before tokenizing: the text and the spans to train on."""
        return self.prepare_lines([_encode(row)])[0]

    def prepare_lines(
        self, lines: list[bytes], patience: Patience | None = None
    ) -> list[Rendered]:
        """Normalised rows, as they stand in a split, before tokenizing."""
        return self._renderer.render(lines, patience or Patience())

    def label(self, rendered: Rendered) -> Labelled:
        """Ids and labels of a prepared row, as the trainer makes them."""
        located = Located(
            text=rendered.text, spans=rendered.spans, prefix_stable=rendered.stable
        )
        return label_text(located, self.encode_with_places, self._ends)

    def measure(self, batch: Sequence[Rendered]) -> list[Measured]:
        """Tokens of prepared rows."""
        return self.count(batch, self.encode(batch))

    def encode(self, batch: Sequence[Rendered]) -> list[Encoding]:
        """The slow part, which releases the GIL."""
        return self._tokenizer.encode_batch_fast(
            [rendered.text for rendered in batch], add_special_tokens=False
        )

    def encode_with_places(self, text: str) -> tuple[list[int], list[tuple[int, int]]]:
        """Ids, and the characters that each of them covers."""
        found = self._tokenizer.encode(text, add_special_tokens=False)
        return found.ids, found.offsets

    def count(
        self, batch: Sequence[Rendered], encoded: Sequence[Encoding]
    ) -> list[Measured]:
        """Token counts of encoded rows; uses the quick count where it is exact."""
        return [
            self._measured(rendered, encoding)
            for rendered, encoding in zip(batch, encoded, strict=True)
        ]

    def _measured(self, rendered: Rendered, encoding: Encoding) -> Measured:
        if rendered.refused:
            return Measured(tokens=0, supervised=0, refusal=rendered.refusal)
        if self._quick and (found := self._quick.count(rendered, encoding)):
            return found
        return self._measured_slowly(rendered)

    def measure_slowly(self, row: Row) -> Measured:
        """Token counts of a row from its actual labels."""
        rendered = self.prepare(row)
        if rendered.refused:
            return Measured(tokens=0, supervised=0, refusal=rendered.refusal)
        return self._measured_slowly(rendered)

    def _measured_slowly(self, rendered: Rendered) -> Measured:
        found = self.label(rendered)
        learned = (n for n, label in enumerate(found.labels) if n and label >= 0)
        return Measured(
            tokens=len(found.input_ids),
            supervised=found.supervised,
            first_learned=next(learned, NEVER),
            last_end=found.ends[-1] if found.ends else NEVER,
            prefix_stable=found.prefix_stable,
            unprinted=rendered.unprinted,
            highest_token=max(found.input_ids, default=0),
        )


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
        ends = sorted(marks)
        supervised, first, last = 0, NEVER, NEVER
        for start, end in rendered.spans:
            begin = self._begin(rendered.text, start, ids, marks, ends)
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
            unprinted=rendered.unprinted,
            highest_token=max(ids, default=0),
        )

    def _marks(self, text: str, ids: list[int]) -> dict[int, int]:
        """Maps the end of each special token in the text to its index in the ids."""
        found, position = {}, -1
        for mark in self._find.finditer(text):
            position = ids.index(self._special[mark.group()], position + 1)
            found[mark.end()] = position
        return found

    def _begin(
        self, text: str, start: int, ids: list[int], marks: dict[int, int],
        ends: list[int],
    ) -> int | None:  # fmt: skip
        """Index of the first token of a supervised span that starts at a character."""
        earlier = bisect_right(ends, start)
        before = ends[earlier - 1] if earlier else 0
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
    facts: ModelFacts | None = None

    def prepare(self, row: Row) -> Row:
        return row

    def prepare_lines(
        self, lines: list[bytes], patience: Patience | None = None
    ) -> list[Row]:
        return [_decode(line) for line in lines]

    def encode(self, batch: Sequence[Row]) -> None:
        return None

    def count(self, batch: Sequence[Row], encoded: None) -> list[Measured]:
        return [estimated_tokens(row["messages"], row.get("tools")) for row in batch]

    def measure(self, batch: Sequence[Row]) -> list[Measured]:
        return self.count(batch, None)


def tokenizer_in(folder: Path | None) -> ModelTokenizer | EstimatedTokenizer:
    """The tokenizer of a model folder, or the estimator if it has none."""
    if folder is None or not (folder / "tokenizer.json").is_file():
        return EstimatedTokenizer()
    return _loaded(folder, version_of(folder))


@lru_cache(maxsize=4)
def _loaded(folder: Path, version: str) -> ModelTokenizer:
    return ModelTokenizer(folder)
