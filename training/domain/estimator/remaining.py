"""Remaining time of a run under way: measured steps, blended with what was expected."""

from dataclasses import dataclass
from math import exp, log, sqrt

from training.domain.estimator.model_estimate import Interval

WARM_UP_STEPS = 1
"""An attempt's first step carries one-time costs (4 to 28 s on a processor): never
counted."""

DRIFT = 0.03
"""A run's later steps differ from its earlier ones by so much, in any case."""

STEP_SPREAD = 0.25
"""Spread of a single step around the mean: batches differ in padding."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectation:
    """What the estimate said of the run: seconds a step, its spread, what follows."""

    step_seconds: float
    step_sigma: float
    multiplier: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Pace:
    """Measured seconds of a step: the mean of so many steps past the warm-up."""

    mean: float
    steps: int

    @property
    def doubt(self) -> float:
        """Squared relative error of the mean as a forecast of later steps."""
        # The prior's spread weighs as much as four steps.
        relative = 4 * STEP_SPREAD**2 / (4 + self.steps)
        return relative / self.steps + DRIFT**2


def remaining_seconds(
    expected: Expectation,
    pace: Pace | None,
    *,
    steps_left: int,
    fixed_seconds_left: float = 0.0,
) -> Interval:
    """Steps left times the blended step time, plus what comes beside steps.

    In logarithms, the expectation N(ln e, s^2) and the mean of n measured steps
    N(ln m, spread^2 / n + DRIFT^2) are weighed by their precisions. With no step past
    the warm-up it is the expectation's alone, after a few hundred the run's own.
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
