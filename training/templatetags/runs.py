"""Elapsed and remaining time of a run at render time."""

from django import template
from django.utils import timezone

from training.models import TrainingJob

register = template.Library()


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
