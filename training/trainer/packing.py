"""Packs several short sequences into one row, to reduce padding.

Standard library only: the console counts its steps by the same `rows_of`.
"""

from bisect import bisect_left, insort
from collections import Counter, defaultdict
from collections.abc import Iterable
from typing import Any

Row = dict[str, Any]
Parts = tuple[int, ...]


class Rooms:
    """Rows by how many tokens still fit in; those of the same parts together."""

    def __init__(self) -> None:
        self._rows: dict[int, list[tuple[Parts, int]]] = {}
        self._rooms: list[int] = []

    def place(self, room: int, parts: Parts, number: int) -> None:
        """Keep so many rows of these parts, where there are any."""
        if number and room not in self._rows:
            insort(self._rooms, room)
            self._rows[room] = []
        if number:
            self._rows[room].append((parts, number))

    def fullest(self, length: int) -> tuple[int, Parts, int] | None:
        """The fullest rows with room for a length, taken out; None if none has it."""
        at = bisect_left(self._rooms, length)
        if at == len(self._rooms):
            return None
        room = self._rooms[at]
        parts, number = self._rows[room].pop()
        if not self._rows[room]:
            del self._rows[room], self._rooms[at]
        return room, parts, number

    def counted(self) -> dict[Parts, int]:
        """How many rows have which parts."""
        found: Counter[Parts] = Counter()
        for groups in self._rows.values():
            for parts, number in groups:
                found[parts] += number
        return dict(found)


def rows_of(counts: Iterable[tuple[int, int]], max_length: int) -> dict[Parts, int]:
    """The rows of at most max_length tokens: the lengths in each, and how many rows.

    `counts` are lengths, none above max_length, with how many sequences have each. Best
    fit decreasing: longest first, each goes into the fullest row that still has room
    for it. Rows with the same room are alike, so that whole groups are filled at once:
    the cost depends on the distinct lengths, not on the sequences.
    """
    rooms = Rooms()
    for length, left in sorted(counts, reverse=True):
        while left:
            fresh = max_length, (), left
            room, parts, number = rooms.fullest(length) or fresh
            each = room // length
            full = min(number, left // each)
            rest = left - full * each if full < number else 0
            rooms.place(room - each * length, parts + (length,) * each, full)
            rooms.place(room - rest * length, parts + (length,) * rest, rest and 1)
            if parts:
                rooms.place(room, parts, number - full - (rest and 1))
            left -= full * each + rest
    return rooms.counted()


def pack(rows: list[Row], max_length: int) -> list[Row]:
    """Pack whole sequences into rows of at most max_length tokens, as `rows_of` says.

    `seq_lengths` marks the boundaries, so that sequences do not attend to each other.
    """
    waiting: dict[int, list[Row]] = defaultdict(list)
    for row in reversed(rows):
        waiting[len(row["input_ids"])].append(row)
    counts = [(length, len(some)) for length, some in waiting.items()]
    return [
        _joined([waiting[length].pop() for length in parts])
        for parts, number in rows_of(counts, max_length).items()
        for _ in range(number)
    ]


def _joined(parts: list[Row]) -> Row:
    return {
        "input_ids": [token for part in parts for token in part["input_ids"]],
        "labels": [label for part in parts for label in part["labels"]],
        "seq_lengths": [len(part["input_ids"]) for part in parts],
    }
