"""Elapsed and remaining time of a run at render time."""

import math

from django import template
from django.template.defaultfilters import floatformat
from django.utils import timezone

from training.models import TrainingJob

register = template.Library()


@register.filter
def measure(value: float | str | None, digits: int = 3) -> str:
    """A measured value; in words where it is no number, a dash where there is none.

    >>> [measure(value, 2) for value in (1.234, float("nan"), float("-inf"))]
    ['1.23', 'not a number', 'infinite']
    """
    if not isinstance(value, int | float):
        return "\N{EN DASH}"
    if not math.isfinite(value):
        return "not a number" if math.isnan(value) else "infinite"
    return str(floatformat(value, digits))


@register.filter
def elapsed(job: TrainingJob) -> float | None:
    """Seconds from the first start to the end or now; None before the start."""
    if job.started_at is None:
        return None
    return ((job.completed_at or timezone.now()) - job.started_at).total_seconds()


@register.filter
def remaining(job: TrainingJob) -> float | None:
    """Seconds to the expected end; None if unknown or past."""
    end = job.estimated_completion_at
    if end is None or end < timezone.now():
        return None
    return (end - timezone.now()).total_seconds()
