"""Packs several short sequences into one row, to reduce padding."""

from bisect import bisect_left, insort
from typing import Any

Row = dict[str, Any]


def pack(rows: list[Row], max_length: int) -> list[Row]:
    """Pack whole sequences into rows of at most max_length tokens, best fit decreasing.

    Longest first, each goes into the fullest row that still has room for it.
    `seq_lengths` marks the boundaries, so that sequences do not attend to each other.
    The console counts steps by the same rule (training/domain/estimator/batches.py).
    """
    packed: list[list[Row]] = []
    rooms: list[tuple[int, int]] = []
    for row in sorted(rows, key=lambda row: -len(row["input_ids"])):
        length = len(row["input_ids"])
        place = bisect_left(rooms, (length, -1))
        if place == len(rooms):
            room, number = max_length, len(packed)
            packed.append([])
        else:
            room, number = rooms.pop(place)
        packed[number].append(row)
        if room > length:
            insort(rooms, (room - length, number))
    return [_joined(parts) for parts in packed]


def _joined(parts: list[Row]) -> Row:
    return {
        "input_ids": [token for part in parts for token in part["input_ids"]],
        "labels": [label for part in parts for label in part["labels"]],
        "seq_lengths": [len(part["input_ids"]) for part in parts],
    }
