"""Thinning keeps peaks, smoothing is unbiased, an exploding loss is noticed."""

from hypothesis import given
from hypothesis import strategies as st

from training.domain.series import LossWatch, downsample, loss_problem, smoothed

VALUES = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=400)


@given(VALUES, st.integers(5, 60))
def test_thinning_keeps_ends_and_extremes_in_order(values, most):
    points = list(enumerate(values))
    kept = downsample(points, most)
    assert len(kept) <= max(most, 1)
    assert kept == sorted(kept)
    assert set(kept) <= set(points)
    assert (kept[0], kept[-1]) == (points[0], points[-1])
    assert max(v for _, v in kept) == max(values)
    assert min(v for _, v in kept) == min(values)


def test_one_leap_in_ten_thousand_steps_is_kept():
    points = [(n, 1.0) for n in range(10_000)]
    points[7777] = (7777, 99.0)
    assert (7777, 99.0) in downsample(points, 100)


def test_smoothing_has_no_bias_towards_its_start():
    for _, value in smoothed([(n, 2.0) for n in range(1, 50)]):
        assert abs(value - 2.0) < 1e-12


def test_smoothing_by_hand():
    # w = 0.5: s1 = 0.5*1 -> /0.5 = 1; s2 = 0.25 + 1.5 = 1.75 -> /0.75 = 2.333
    found = smoothed([(1, 1.0), (2, 3.0)], weight=0.5)
    assert found[0] == (1, 1.0)
    assert abs(found[1][1] - 7 / 3) < 1e-12


def watched(losses):
    """The first problem of a run, and the step it was noticed at."""
    watch = LossWatch()
    for step, loss in enumerate(losses, 1):
        watch = watch.after(loss) if loss is not None else watch
        if problem := loss_problem(watch, loss, step):
            return step, problem
    return None


def test_a_falling_loss_is_no_problem():
    assert watched([3.0 * 0.99**n for n in range(500)]) is None


def test_noise_near_zero_is_no_problem():
    assert watched([0.01, 0.2] * 100) is None


def test_a_single_leap_is_no_explosion():
    assert watched([1.0] * 50 + [3.0] + [1.0] * 50) is None


def test_an_explosion_is_noticed_within_some_steps():
    step, problem = watched([2.0] * 20 + [8.0] * 20)
    assert 21 <= step <= 25
    assert "exploded" in problem
    assert "was as low as 2.00" in problem


def test_a_loss_that_is_no_number_is_noticed_at_once():
    step, problem = watched([2.0, 1.9, None])
    assert step == 3
    assert "NaN or infinite at step 3" in problem
