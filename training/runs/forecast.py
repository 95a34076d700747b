"""Forecast of a running job: remaining time and final cost, with intervals."""

from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone

from training.costs.charges import compute_usd
from training.domain import lifecycle
from training.domain.estimator.model_estimate import Interval
from training.domain.estimator.remaining import Expectation, Pace, remaining_seconds
from training.models import RunAttempt, TrainingJob

SMOOTHED_STEPS = 19
"""Effective number of steps in the smoothed pace: (2 - a) / a with a = 0.1."""

UNKNOWN = Expectation(step_seconds=1.0, step_sigma=3.0, multiplier=1.0)
"""No prior estimate: only the run's own steps count."""


def remaining_of(job: TrainingJob, attempt: RunAttempt) -> dict[str, Any] | None:
    """Remaining seconds and final cost as intervals; None unless steps are running.

    The final cost is the charge so far, plus the remaining time at the frozen price,
    plus adapter storage.
    """
    if job.status != lifecycle.RUNNING:
        return None
    pace = _pace(job, attempt)
    if pace is None and job.estimate is None:
        return None
    left = remaining_seconds(
        _expectation(job),
        pace,
        steps_left=max(job.total_steps - job.current_step, 0),
        fixed_seconds_left=_fixed_seconds_left(job),
    )
    per_second = float(job.usd_per_gpu_hour) * job.gpu_count / 3600
    so_far = float(compute_usd(job) + job.storage_usd)
    return {
        "seconds": _rounded(left, 1),
        "final_cost": _rounded(left, 2, factor=per_second, offset=so_far),
    }


def expected_end(remaining: dict[str, Any] | None) -> datetime | None:
    """Expected completion time."""
    if remaining is None:
        return None
    return timezone.now() + timedelta(seconds=remaining["seconds"]["expected"])


def _pace(job: TrainingJob, attempt: RunAttempt) -> Pace | None:
    """The attempt's smoothed pace, with an uncertainty that shrinks with its steps."""
    counted = job.current_step - attempt.resumed_from_step - 1
    if attempt.step_seconds is None or counted < 1:
        return None
    return Pace(mean=attempt.step_seconds, steps=min(counted, SMOOTHED_STEPS))


def _expectation(job: TrainingJob) -> Expectation:
    if job.estimate is None:
        return UNKNOWN
    time = job.estimate["time"]
    return Expectation(
        step_seconds=time["step_seconds"],
        step_sigma=time["sigma"],
        multiplier=time["multiplier"],
    )


def _fixed_seconds_left(job: TrainingJob) -> float:
    """Evaluations and checkpoints in proportion to the steps left, and the save."""
    if job.estimate is None:
        return 0.0
    parts = job.estimate["duration_parts_seconds"]
    between = parts["evaluation"] + parts["checkpoints"]
    return float((1 - job.progress) * between + parts["save"])


def _rounded(
    interval: Interval, digits: int, *, factor: float = 1.0, offset: float = 0.0
) -> dict[str, float]:
    ends = {name: getattr(interval, name) for name in interval.__slots__}
    return {
        name: round(value * factor + offset, digits) for name, value in ends.items()
    }
