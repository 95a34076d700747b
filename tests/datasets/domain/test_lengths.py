"""Histograms: exact where it counts, close elsewhere, and what max_length does."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as some

from datasets.domain.lengths import Lengths, bucket
from datasets.domain.statistics import NEVER, Measured, Statistics, signal


@given(some.integers(0, 32_767))
def test_below_32768_every_length_is_its_own(length):
    assert bucket(length) == length


@given(some.integers(32_768, 10_000_000))
def test_above_a_length_is_rounded_up_by_less_than_a_fifth_of_a_percent(length):
    assert length <= bucket(length) <= length * 1.002
    assert bucket(bucket(length)) == bucket(length)


@given(some.integers(513, 4096), some.integers(1, 2**20))
def test_over_is_exact_at_the_edges_of_the_buckets(edge, length):
    limit = edge * 128
    if limit <= 131_072 and limit >= 32_768:
        assert (bucket(length) > limit) == (length > limit)


def test_quantiles_are_lengths_that_occur():
    found = Lengths.of(Counter({10: 50, 20: 45, 400: 5}))
    assert (found.quantile(0.5), found.quantile(0.95), found.maximum) == (10, 20, 400)
    assert (found.count, found.over(20), found.kept(20)) == (100, 5, 500 + 900 + 100)
    assert Lengths.load(found.dump()) == found


def test_bars_hold_every_example_once():
    found = Lengths.of(Counter({1: 3, 100: 4, 1000: 5}))
    bars = found.bars()
    assert sum(count for _, _, count in bars) == 12
    assert bars[0][0] == 1
    assert bars[-1][1] >= 1000


@pytest.mark.parametrize(
    ("max_length", "expected"),
    [
        (1000, (3, 1, 0, 0)),  # only the one that has no label at all
        (50, (3, 1, 1, 1)),  # the second ends at position 60
        (31, (3, 1, 2, 2)),  # position 30 survives, 39 does not
        (30, (3, 2, 2, 2)),  # the first label of the second is gone too
        (5, (3, 3, 2, 3)),
    ],
)
def test_what_a_max_length_does_to_the_signal(max_length, expected):
    sums = Statistics()
    sums.add(Measured(tokens=40, supervised=30, first_learned=10, last_end=39))
    sums.add(Measured(tokens=61, supervised=31, first_learned=30, last_end=60))
    sums.add(Measured(tokens=20, supervised=0))
    stored = sums.dump()
    found = signal(
        Lengths.load(stored["lengths"]),
        Lengths.load(stored["first_learned"]),
        Lengths.load(stored["last_end"]),
        max_length=max_length,
    )
    numbers = (found.examples, found.without_label, found.lost_end, found.cut)
    assert numbers == expected
    assert found.trainable == 3 - expected[1]


def test_never_stays_never_in_the_buckets():
    sums = Statistics()
    sums.add(Measured(tokens=1, supervised=0))
    assert sums.dump()["first_learned"] == [[NEVER, 1]]
