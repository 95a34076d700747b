"""Remaining time of a running job: measured steps blended with the estimate."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import fmean

from training.domain.estimator.model_estimate import Interval

WARM_UP_STEPS = 3
"""The first steps carry one-time costs (4 to 28 s on a CPU): never counted."""

DRIFT = 0.03
"""Minimum relative drift between a run's earlier and later steps."""

STEP_SPREAD = 0.25
"""Spread of a single step around the mean before there are enough to measure it:
batches differ in padding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """The estimate of the run: seconds per step, their spread, remaining overhead."""

    step_seconds: float
    step_sigma: float
    multiplier: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Measured seconds per step: the mean over the steps after the warm-up.

    `squares` sums (step / mean - 1)^2 where single steps are known; without them the
    prior's spread stands.
    """

    mean: float
    steps: int
    squares: float = 0.0

    @classmethod
    def of(cls, measured: Sequence[float]) -> "Pace | None":
        """From all steps of a run except the first ones; None if none are left."""
        counted = measured[WARM_UP_STEPS:]
        if not counted:
            return None
        mean = fmean(counted)
        squares = sum((step / mean - 1) ** 2 for step in counted)
        return cls(mean=mean, steps=len(counted), squares=squares)

    @property
    def doubt(self) -> float:
        """Squared relative error of the mean as a forecast of later steps."""
        # The prior's spread weighs as much as four steps.
        relative = (4 * STEP_SPREAD**2 + self.squares) / (4 + self.steps)
        return relative / self.steps + DRIFT**2


def remaining_seconds(
    expected: Expectation,
    pace: Pace | None,
    *,
    steps_left: int,
    fixed_seconds_left: float = 0.0,
) -> Interval:
    """Steps left times the blended step time, plus the remaining overhead.

    In logarithms, the expectation N(ln e, s^2) and the mean of n measured steps
    N(ln m, spread^2 / n + DRIFT^2) are weighted by their precisions. Before the warm-up
    ends only the estimate counts, after a few hundred steps only the run's own pace.
    """
    mean, variance = log(expected.step_seconds), expected.step_sigma**2
    if pace is not None:
        weight = variance / (variance + pace.doubt)
        mean = mean + weight * (log(pace.mean) - mean)
        variance = variance * pace.doubt / (variance + pace.doubt)
    per_step = exp(mean)
    width = exp(expected.multiplier * sqrt(variance))
    return Interval(
        low=steps_left * per_step / width + fixed_seconds_left,
        expected=steps_left * per_step + fixed_seconds_left,
        high=steps_left * per_step * width + fixed_seconds_left,
    )
