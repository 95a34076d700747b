"""Histograms of example lengths: exact counts, compact storage."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from training.domain.limits import LIMITS

MAX_LENGTH = LIMITS["max_length"]

EXACT_BELOW = 32_768
STEPS_AN_OCTAVE = 512


def bucket(length: int) -> int:
    """The length itself below 32 768; above, rounded up by less than 0.2 %.

    The buckets end at multiples of 64 up to 65 536, of 128 up to 131 072, and so on, so
    that "longer than max_length" is exact for every max_length that is such a multiple.
    Below, packing needs every length to the token: its rows are counted from them.
    """
    if length < EXACT_BELOW:
        return length
    step = (1 << ((length - 1).bit_length() - 1)) // STEPS_AN_OCTAVE
    return -(-length // step) * step


@dataclass(frozen=True, slots=True)
class Lengths:
    """A histogram of lengths in tokens: sorted pairs of (length, count)."""

    pairs: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, counted: Counter[int]) -> "Lengths":
        return cls(tuple(sorted(counted.items())))

    @classmethod
    def load(cls, stored: Iterable[Iterable[int]]) -> "Lengths":
        """Load from the JSON that `dump()` produced."""
        return cls(tuple((length, count) for length, count in stored))

    def dump(self) -> list[list[int]]:
        return [list(pair) for pair in self.pairs]

    @property
    def count(self) -> int:
        return sum(count for _, count in self.pairs)

    @property
    def maximum(self) -> int:
        return self.pairs[-1][0] if self.pairs else 0

    def quantile(self, share: float) -> int:
        """The length at this quantile: at least this share of examples is no longer."""
        wanted, seen = share * self.count, 0
        for length, count in self.pairs:
            seen += count
            if seen >= wanted:
                return length
        return 0

    def over(self, limit: int) -> int:
        """Number of examples longer than a limit."""
        return sum(count for length, count in self.pairs if length > limit)

    def kept(self, limit: int) -> int:
        """Tokens left when every example is truncated at a limit."""
        return sum(min(length, limit) * count for length, count in self.pairs)

    def bars(self, count: int = 24) -> list[tuple[int, int, int]]:
        """(from, to, examples) for equal-width chart bars up to the maximum."""
        if not self.pairs:
            return []
        width = max(-(-self.maximum // count), 1)
        heights = [0] * -(-self.maximum // width)
        for length, number in self.pairs:
            heights[max(length - 1, 0) // width] += number
        return [(n * width + 1, (n + 1) * width, h) for n, h in enumerate(heights)]
