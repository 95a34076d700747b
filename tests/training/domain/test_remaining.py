"""Remaining time: the expectation first, the run's own steps soon."""

import pytest

from training.domain.estimator.remaining import Expectation, Pace, remaining_seconds

EXPECTED = Expectation(step_seconds=10.0, step_sigma=0.2, multiplier=1.0)


def test_before_any_counted_step_the_estimate_stands():
    left = remaining_seconds(EXPECTED, None, steps_left=100)
    assert left.expected == pytest.approx(1000)
    assert left.high / left.expected == pytest.approx(1.2214, rel=1e-3)


def test_after_many_steps_the_run_itself_is_believed():
    left = remaining_seconds(EXPECTED, Pace(mean=20.0, steps=300), steps_left=100)
    assert left.expected == pytest.approx(2000, rel=0.03)
    assert left.high / left.low < 1.1


def test_a_few_steps_move_it_part_of_the_way():
    left = remaining_seconds(EXPECTED, Pace(mean=20.0, steps=2), steps_left=100)
    assert 1100 < left.expected < 1900


def test_the_interval_narrows_as_steps_are_seen():
    widths = []
    for seen in (1, 10, 100):
        left = remaining_seconds(EXPECTED, Pace(mean=10.0, steps=seen), steps_left=50)
        widths.append(left.high / left.low)
    assert widths == sorted(widths, reverse=True)


def test_what_comes_beside_steps_is_added_and_at_the_end_alone():
    left = remaining_seconds(
        EXPECTED, Pace(mean=10.0, steps=17), steps_left=0, fixed_seconds_left=8.0
    )
    assert (left.low, left.expected, left.high) == (8.0, 8.0, 8.0)
