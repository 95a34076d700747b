"""Packing: rows counted in groups are those of packing one by one."""

from collections import Counter

from hypothesis import given
from hypothesis import strategies as some

from training.trainer.packing import pack, rows_of


def one_by_one(lengths: list[int], room: int) -> Counter[int]:
    """Best fit decreasing as it is written down: how full each row is."""
    rows: list[int] = []
    for length in sorted(lengths, reverse=True):
        fitting = [n for n, used in enumerate(rows) if used + length <= room]
        if fitting:
            rows[max(fitting, key=lambda n: rows[n])] += length
        else:
            rows.append(length)
    return Counter(rows)


LENGTHS = some.lists(some.integers(1, 60), min_size=1, max_size=80)


@given(LENGTHS, some.integers(60, 130))
def test_groups_of_rows_are_the_rows_of_packing_one_by_one(lengths, room):
    found = rows_of(Counter(lengths).items(), room)
    filled: Counter[int] = Counter()
    for parts, number in found.items():
        filled[sum(parts)] += number
    assert filled == one_by_one(lengths, room)
    placed = Counter(n for parts, c in found.items() for n in parts * c)
    assert placed == Counter(lengths)


@given(LENGTHS)
def test_every_sequence_is_packed_once_and_whole(lengths):
    rows = [
        {"input_ids": [n] * length, "labels": [-n] * length}
        for n, length in enumerate(lengths)
    ]
    packed = pack(rows, 100)
    assert len(packed) == sum(rows_of(Counter(lengths).items(), 100).values())
    seen: list[int] = []
    for row in packed:
        assert len(row["input_ids"]) == sum(row["seq_lengths"]) <= 100
        assert row["labels"] == [-n for n in row["input_ids"]]
        start = 0
        for length in row["seq_lengths"]:
            (one,) = set(row["input_ids"][start : start + length])
            assert length == lengths[one]
            seen.append(one)
            start += length
    assert sorted(seen) == list(range(len(lengths)))
