"""Decides which examples are held out for validation.

By conversation: no conversation ends up in both splits, and equal examples stay in one
split even if they belong to different conversations.
"""

import hashlib

MAX_SEED = 2**31 - 1
SPLITS = ("train", "validation")

SPLIT_SEED = 42
VALIDATION_SHARE = 0.1
MAX_SHARE = 0.5
SMALLEST_SPLIT = 10
EXACT_GROUPS = 200_000
REMEMBERED = 300_000
RANKS = 2**64


class Splitter:
    """Add every example; afterwards it tells which split each group belongs to.

    A group is a conversation, or an example that belongs to none. Groups are ordered by
    SHA-256 of seed and name, which no platform or library version changes, and the
    first `share` of them is held out, at least one from ten groups on. With more than
    200 000 groups those under share * 2^64 are held out instead, so that memory stays
    bounded: the share is then met with a standard error of 0.07 points.

    Equal examples of different conversations are recognised among the first 300 000.
    """

    def __init__(self, *, share: float, seed: int) -> None:
        self._share = share
        self._seed = b"%d:" % seed
        self._groups: set[int] | None = set()
        self._first_group: dict[int, int] = {}
        self._parent: dict[int, int] = {}
        self._threshold = 0

    def add(self, identity: bytes, conversation: str | None) -> int:
        """Add an example; equal examples have equal `identity`."""
        example = self._rank(identity)
        if conversation is None:
            group, first = example, self._first_group.get(example)
        else:
            name = b"conversation:" + conversation.encode("utf-8", "replace")
            group, first = self._rank(name), self._seen_before(example)
            if first is None and len(self._first_group) < REMEMBERED:
                self._first_group[example] = group
        self._note(group)
        if first is not None and first != group:
            self._join(first, group)
        return group

    def _seen_before(self, example: int) -> int | None:
        """The group of an equal example; without a conversation, its own group."""
        if self._groups is not None and example in self._groups:
            return example
        return self._first_group.get(example)

    def settle(self) -> None:
        """Decide the split, once every example has been added."""
        if self._groups is None:
            self._threshold = int(self._share * RANKS)
            return
        roots = sorted({self._root(group) for group in self._groups})
        if len(roots) < SMALLEST_SPLIT or not self._share:
            return
        count = max(1, round(len(roots) * self._share))
        self._threshold = roots[count]

    def is_held_out(self, group: int) -> bool:
        """Whether a group is in the validation split; only after `settle()`."""
        return self._root(group) < self._threshold

    def _note(self, group: int) -> None:
        if self._groups is not None:
            self._groups.add(group)
            if len(self._groups) > EXACT_GROUPS:
                self._groups = None

    def _rank(self, name: bytes) -> int:
        return int.from_bytes(hashlib.sha256(self._seed + name).digest()[:8])

    def _root(self, group: int) -> int:
        """The smallest group of those joined; halves the way there for the next."""
        parents = self._parent
        while (parent := parents.get(group)) is not None:
            if (above := parents.get(parent)) is not None:
                parents[group] = above
            group = parent
        return group

    def _join(self, one: int, other: int) -> None:
        first, second = sorted((self._root(one), self._root(other)))
        if first != second:
            self._parent[second] = first
