"""Which rows each process computes in each step, and how many tokens that is."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import torch
from torch.utils.data import DataLoader, Sampler

Row = dict[str, Any]
BLANK_TOKENS = 2


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """Tokens of a step over all processes: of its rows, and with padding."""

    real: int
    computed: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Division:
    """How a batch is divided: `micro` rows at a time in each of `processes`."""

    batch: int
    micro: int
    processes: int
    packed: bool = False

    def rounds(self, rows: list[int]) -> Iterator[list[list[int]]]:
        """The micro-batches of one batch, those of all processes at a time.

        A last, smaller round is split evenly, so no row is computed twice; a process
        left without a row gets an empty list.
        """
        together = self.micro * self.processes
        for start in range(0, len(rows), together):
            yield shared(rows[start : start + together], self.processes)

    def computed(self, lengths: Sequence[int]) -> int:
        """Tokens of one micro-batch: padded to its longest row, or packed."""
        if not lengths:
            return BLANK_TOKENS
        return sum(lengths) if self.packed else max(lengths) * len(lengths)


def shared(rows: list[int], processes: int) -> list[list[int]]:
    """Contiguous shares that differ by one row at most.

    >>> shared([1, 2, 3, 4, 5], 2)
    [[1, 2, 3], [4, 5]]
    """
    each, more = divmod(len(rows), processes)
    ends = [n * each + min(n, more) for n in range(processes + 1)]
    return [rows[a:b] for a, b in pairwise(ends)]


class Batches(Sampler[list[int]]):  # type: ignore[misc]
    """The micro-batches of one process, an epoch at a time, as indices of rows.

    The order is that of torch's RandomSampler seeded with seed + epoch: it depends on
    nothing but the seed, so every process knows what all others compute. A process
    without a row in a round gets `blank`, the index after the last row: a row of weight
    zero, because in a backward pass all processes wait for each other.
    """

    def __init__(
        self, lengths: Sequence[int], division: Division, *, seed: int, rank: int
    ) -> None:
        self.lengths = lengths
        self.division = division
        self.seed = seed
        self.rank = rank
        self.epoch = 0
        self.blank = len(lengths)
        self._counted: tuple[int, list[Counted]] = (-1, [])

    def __len__(self) -> int:
        """Micro-batches of each process in an epoch."""
        whole, rest = divmod(len(self.lengths), self.division.batch)
        together = self.division.micro * self.division.processes
        return whole * (self.division.batch // together) + -(-rest // together)

    def __iter__(self) -> Iterator[list[int]]:
        for step in self.steps(self.epoch):
            for shares in step:
                yield shares[self.rank] or [self.blank]

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def steps(self, epoch: int) -> Iterator[list[list[list[int]]]]:
        """Of each step the rounds, of each round the rows of every process."""
        generator = torch.Generator().manual_seed(self.seed + epoch)
        order = torch.randperm(len(self.lengths), generator=generator).tolist()
        for start in range(0, len(order), self.division.batch):
            yield list(self.division.rounds(order[start : start + self.division.batch]))

    @property
    def steps_per_epoch(self) -> int:
        return -(-len(self.lengths) // self.division.batch)

    def seen_through(self, step: int) -> int:
        """Tokens trained on from the first step through this one, without padding."""
        epochs, rest = divmod(step, self.steps_per_epoch)
        begun = self._of_epoch(epochs)[:rest] if rest else []
        return epochs * sum(self.lengths) + sum(step.real for step in begun)

    def of_step(self, step: int) -> Counted:
        """Tokens of a step; steps count from 1."""
        epoch, place = divmod(step - 1, self.steps_per_epoch)
        return self._of_epoch(epoch)[place]

    def _of_epoch(self, epoch: int) -> list[Counted]:
        if self._counted[0] != epoch:
            self._counted = epoch, [self._count(step) for step in self.steps(epoch)]
        return self._counted[1]

    def _count(self, rounds: list[list[list[int]]]) -> Counted:
        shares = [[self.lengths[row] for row in s] for both in rounds for s in both]
        return Counted(
            real=sum(sum(share) for share in shares),
            computed=sum(self.division.computed(share) for share in shares),
        )


class Loader(DataLoader[Row]):  # type: ignore[misc]
    """Rows in the order of `Batches`.

    Its own generator keeps the loader from drawing on the one that dropout uses.
    """

    def __init__(self, rows: list[Row], batches: Batches, **options: Any) -> None:
        super().__init__(
            [*rows, blank_row()],
            batch_sampler=batches,
            generator=torch.Generator(),
            **options,
        )
        self.batches = batches

    def set_epoch(self, epoch: int) -> None:
        self.batches.set_epoch(epoch)


def blank_row() -> Row:
    """A row of weight zero: nothing in it is learned."""
    ids, ignored = [0] * BLANK_TOKENS, [-100] * BLANK_TOKENS
    return {"input_ids": ids, "labels": ignored, "seq_lengths": [BLANK_TOKENS]}
