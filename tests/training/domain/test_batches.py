"""What batches are expected to be padded to, against drawing them."""

import random
from statistics import fmean

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.domain.builders import lengths
from training.domain.estimator.batches import (
    LengthHistogram,
    expected_micro_batches,
    longest_of,
    packed,
    padded_tokens,
)


def test_the_longest_of_two_is_the_order_statistic():
    # Of 3 x 100 and 1 x 200 tokens, 3 of 6 pairs hold the long one.
    assert dict(longest_of(lengths(t100=3, t200=1), 2)) == pytest.approx(
        {100: 0.5, 200: 0.5}
    )


@given(
    counts=st.lists(st.integers(1, 50), min_size=1, max_size=8),
    draws=st.integers(1, 80),
)
def test_probabilities_of_the_longest_sum_to_one(counts, draws):
    histogram = LengthHistogram(
        lengths=tuple(range(10, 10 + len(counts))), counts=tuple(counts)
    )
    assert sum(p for _, p in longest_of(histogram, draws)) == pytest.approx(1)


def test_expected_padding_equals_that_of_drawn_epochs():
    histogram = lengths(t50=40, t120=30, t300=20, t900=13)
    batches = expected_micro_batches(
        histogram, micro_batch=4, processes=1, accumulation=2
    )
    assert padded_tokens(batches, 1) == pytest.approx(_drawn(histogram, 4), rel=0.01)


def _drawn(histogram: LengthHistogram, micro_batch: int) -> float:
    """Mean padded tokens of 2000 shuffled epochs, as a random sampler makes them."""
    pool = [
        length
        for length, count in zip(histogram.lengths, histogram.counts, strict=True)
        for _ in range(count)
    ]
    shuffler = random.Random(3)
    epochs = []
    for _ in range(2000):
        shuffler.shuffle(pool)
        cut = [pool[i : i + micro_batch] for i in range(0, len(pool), micro_batch)]
        epochs.append(sum(len(batch) * max(batch) for batch in cut))
    return fmean(epochs)


def test_processes_wait_for_the_longest_of_the_whole_batch():
    # Four sequences on two processes are one step: both wait for the 200 tokens.
    batches = expected_micro_batches(
        lengths(t100=3, t200=1), micro_batch=2, processes=2, accumulation=1
    )
    assert [(b.sequences, b.length, b.number) for b in batches] == [(2, 200, 1.0)]


def test_equal_lengths_need_no_padding():
    batches = expected_micro_batches(
        lengths(t100=7), micro_batch=4, processes=1, accumulation=1
    )
    assert padded_tokens(batches, 1) == 700


def test_longer_sequences_are_cut_and_counted_together():
    cut = lengths(t100=2, t300=1, t900=4).truncated(200)
    assert (cut.lengths, cut.counts) == ((100, 200), (2, 5))


def test_packing_fills_each_row_with_the_longest_that_still_fits():
    # 900 + 100; 500 + 500; 300 + 300 + 300 + 100: 3000 tokens in three rows of 1000.
    rows = packed(lengths(t100=2, t300=3, t500=2, t900=1), 1000)
    assert (rows.lengths, rows.counts) == ((1000,), (3,))


@given(
    counts=st.dictionaries(st.integers(1, 400), st.integers(1, 9), min_size=1),
    room=st.integers(100, 500),
)
def test_packing_keeps_every_token_and_never_overfills(counts, room):
    ordered = sorted(counts)
    histogram = LengthHistogram(
        lengths=tuple(ordered), counts=tuple(counts[n] for n in ordered)
    )
    rows = packed(histogram, room)
    assert rows.tokens == histogram.truncated(room).tokens
    assert rows.longest <= room
    assert rows.pairs <= histogram.pairs


def test_coarse_lengths_keep_pairs_and_nearly_all_tokens():
    fine = LengthHistogram(lengths=tuple(range(1, 4001)), counts=(2,) * 4000)
    coarse = fine.coarsened(40)
    assert len(coarse.lengths) == 40
    assert coarse.pairs == fine.pairs
    assert coarse.tokens == pytest.approx(fine.tokens, rel=0.001)


@pytest.mark.parametrize(
    ("given_lengths", "counts", "words"),
    [
        ((), (), "as many counts"),
        ((5,), (1, 2), "as many counts"),
        ((5, 5), (1, 1), "ascend"),
        ((0,), (1,), "at least 1"),
    ],
)
def test_a_histogram_that_cannot_be_is_refused(given_lengths, counts, words):
    with pytest.raises(ValueError, match=words):
        LengthHistogram(lengths=given_lengths, counts=counts)
