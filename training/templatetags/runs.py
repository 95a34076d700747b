"""How long a run has taken and how long it still takes, at the moment of reading."""

from django import template
from django.utils import timezone

from training.models import TrainingJob

register = template.Library()


@register.filter
def elapsed(job: TrainingJob) -> float | None:
    """Seconds from the first start to the end, or to now; None before the start."""
    if job.started_at is None:
        return None
    return ((job.completed_at or timezone.now()) - job.started_at).total_seconds()


@register.filter
def remaining(job: TrainingJob) -> float | None:
    """Seconds to the expected end; None while nobody can know, and once it is past."""
    end = job.estimated_completion_at
    if end is None or end < timezone.now():
        return None
    return (end - timezone.now()).total_seconds()
