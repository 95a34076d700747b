"""Batches and padding that the trainer's sampler produces from a dataset's lengths.

The trainer draws sequences in random order without replacement, an epoch at a time, and
pads each micro-batch to its longest sequence. The expectation over that order is known
in closed form, so nothing is drawn: the estimate is exact, and the same each time.
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from training.trainer.packing import rows_of


@dataclass(frozen=True, slots=True, kw_only=True)
class LengthHistogram:
    """Number of sequences of each length in tokens, lengths ascending."""

    lengths: tuple[int, ...]
    counts: tuple[int, ...]

    def __post_init__(self) -> None:
        if not self.lengths or len(self.lengths) != len(self.counts):
            raise ValueError("A length histogram must have as many counts as lengths.")
        if min(self.lengths) < 1 or min(self.counts) < 1:
            raise ValueError("Lengths and counts of a histogram must be at least 1.")
        if any(a >= b for a, b in pairwise(self.lengths)):
            raise ValueError("Lengths of a histogram must ascend.")

    @classmethod
    def uniform(cls, *, pairs: int, total_tokens: int) -> "LengthHistogram":
        """All sequences at the mean length: the fallback if only totals are known.

        It ignores padding: on chat data its padded tokens are 20 to 50 % too low.
        """
        mean = max(round(total_tokens / pairs), 1)
        return cls(lengths=(mean,), counts=(pairs,))

    @classmethod
    def of(cls, pairs: Iterable[Sequence[int]]) -> "LengthHistogram":
        """From pairs of (length, count) in ascending order, empty ones left out."""
        some = [(max(length, 1), count) for length, count in pairs if count]
        return cls(
            lengths=tuple(length for length, _ in some),
            counts=tuple(count for _, count in some),
        )

    @property
    def pairs(self) -> int:
        return sum(self.counts)

    @property
    def tokens(self) -> int:
        return sum(n * c for n, c in zip(self.lengths, self.counts, strict=True))

    @property
    def longest(self) -> int:
        return self.lengths[-1]

    def truncated(self, max_length: int) -> "LengthHistogram":
        """Longer sequences truncated at `max_length`, as in the trainer."""
        if self.longest <= max_length:
            return self
        kept = bisect_left(self.lengths, max_length)
        cut = sum(self.counts[kept:])
        return LengthHistogram(
            lengths=(*self.lengths[:kept], max_length),
            counts=(*self.counts[:kept], cut),
        )

    def coarsened(self, bins: int = 48) -> "LengthHistogram":
        """At most about `bins` lengths, each the mean of those it replaces.

        Bins have equal width, so an expected maximum is off by less than half of
        longest / bins either way.
        """
        if len(self.lengths) <= bins:
            return self
        width = self.longest / bins
        merged: dict[int, tuple[int, int]] = {}
        for length, count in zip(self.lengths, self.counts, strict=True):
            place = int((length - 1) / width)
            tokens, before = merged.get(place, (0, 0))
            merged[place] = (tokens + length * count, before + count)
        return LengthHistogram(
            lengths=tuple(round(tokens / count) for tokens, count in merged.values()),
            counts=tuple(count for _, count in merged.values()),
        )


def longest_of(histogram: LengthHistogram, draws: int) -> Iterator[tuple[int, float]]:
    """Each length with the probability that it is the longest of `draws` sequences.

    P(longest <= x) = C(k, m) / C(N, m), where k of all N sequences are at most x long:
    the order statistic of drawing m without replacement.
    """
    pairs = histogram.pairs
    draws = min(draws, pairs)
    below, not_longer = 0.0, 0
    for length, count in zip(histogram.lengths, histogram.counts, strict=True):
        not_longer += count
        up_to_here = 1.0
        for i in range(draws):
            up_to_here *= max(not_longer - i, 0) / (pairs - i)
        if up_to_here > below:
            yield length, up_to_here - below
        below = up_to_here


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """Micro-batches of one kind in an epoch: their number and padded length."""

    sequences: int
    length: float
    number: float


def expected_micro_batches(
    histogram: LengthHistogram, *, micro_batch: int, processes: int, accumulation: int
) -> list[Expected]:
    """The micro-batches that one process computes in an epoch, by padded length.

    Where each step is one micro-batch, all processes wait for the one with the longest
    sequence of the whole batch; with accumulation they meet only at the step's end, and
    their own longest counts. A last, smaller micro-batch counts at its mean length.
    """
    together = processes if accumulation == 1 else 1
    per_round = micro_batch * processes
    whole, rest = divmod(histogram.pairs, per_round)
    found = [
        Expected(sequences=micro_batch, length=length, number=whole * probability)
        for length, probability in longest_of(histogram, micro_batch * together)
        if whole
    ]
    if rest:
        smaller = -(-rest // processes)
        drawn = longest_of(histogram, min(rest, smaller * together))
        mean = sum(length * probability for length, probability in drawn)
        found.append(Expected(sequences=smaller, length=mean, number=1.0))
    return found


def packed_micro_batches(
    rows: LengthHistogram, *, micro_batch: int, processes: int
) -> list[Expected]:
    """Packed rows concatenated: one long sequence each, no padding."""
    together = micro_batch * processes
    number = -(-rows.pairs // together)
    length = rows.tokens / (number * processes)
    return [Expected(sequences=1, length=length, number=float(number))]


def padded_tokens(batches: list[Expected], processes: int) -> float:
    """Tokens computed in an epoch over all processes, padding included."""
    return processes * sum(b.sequences * b.length * b.number for b in batches)


@lru_cache(maxsize=64)
def packed(histogram: LengthHistogram, max_length: int) -> LengthHistogram:
    """The histogram after packing, by the trainer's own function: no error."""
    cut = histogram.truncated(max_length)
    counts = zip(cut.lengths, cut.counts, strict=True)
    filled: Counter[int] = Counter()
    for parts, number in rows_of(counts, max_length).items():
        filled[sum(parts)] += number
    return LengthHistogram.of(sorted(filled.items()))
