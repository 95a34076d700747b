"""Says on a job that its trainer cannot reach the console: its log alone would know."""

from datetime import datetime, timedelta

from django.utils import timezone

from lora_pipeline.web.own_address import REMEDY, trainers_url, why_unreachable
from training.models import RunAttempt, TrainingJob

SILENT_AFTER = timedelta(seconds=15)
START = "its trainer cannot reach the console"
MOST_LETTERS = 300


def note_reach(attempt: RunAttempt) -> None:
    """Note on the job of a trainer that is silent whether the console's URL answers.

    A trainer that is loading a model is silent too: so the URL itself is asked.
    """
    job = attempt.job
    words = _words(attempt, timezone.now())
    if words != job.status_note and (words or job.status_note.startswith(START)):
        own = TrainingJob.objects.filter(pk=job.pk, status=job.status)
        own.update(status_note=words[:MOST_LETTERS])


def _words(attempt: RunAttempt, now: datetime) -> str:
    since = attempt.last_event_at or attempt.launched_at or attempt.created_at
    if now - since < SILENT_AFTER:
        return ""
    url = trainers_url()
    why = why_unreachable(url)
    return f"{START} at {url} ({why}); operators: {REMEDY}" if why else ""
