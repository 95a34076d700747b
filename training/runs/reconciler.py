"""The loop that moves jobs on: one idempotent pass over what the database says.

Nothing depends on a message having arrived or on a process having lived: every pass
looks at every open job, and does for each the one thing that is due.
"""

import logging
from collections.abc import Callable
from datetime import datetime, timedelta
from threading import Event
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from training.domain import faults
from training.jobs.transitions import WAKE_CHANNEL, locked
from training.launchers import local
from training.models import DeviceClaim, RunAttempt
from training.runs.dispatch import RECONCILER, close_unstarted, launch_queued
from training.runs.heartbeat import beat
from training.runs.outcomes import attempt_failed
from training.runs.waiting import note_waiting

logger = logging.getLogger(__name__)
LOCK_KEY = 0x10FA
LAUNCH_GRACE = timedelta(seconds=3)
EXIT_GRACE = timedelta(seconds=30)
LEAVING_SECONDS = 0.1


def run_forever(stop: Event) -> None:
    """Pass after pass until told to stop; only one reconciler works at a time."""
    while not stop.is_set():
        try:
            _work(stop)
        except (DatabaseError, psycopg.Error):
            logger.exception("the database is away; trying again")
            connection.close()
            stop.wait(1)


def _work(stop: Event) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {WAKE_CHANNEL}")
    while not stop.is_set():
        if _is_leader():
            one_pass()
            beat()
        wait_for_news(_pause())


def _is_leader() -> bool:
    """Take, or still hold, the advisory lock of this database session."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory'"
            " AND objid = %s AND pid = pg_backend_pid()",
            [LOCK_KEY],
        )
        if cursor.fetchone()[0]:
            return True
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [LOCK_KEY])
        return bool(cursor.fetchone()[0])


def _pause() -> float:
    """Short while a trainer is on its way out, whose devices others may wait for."""
    leaving = DeviceClaim.objects.exclude(attempt__ended_at=None).exists()
    return min(LEAVING_SECONDS if leaving else 1e9, settings.RECONCILE_SECONDS)


def wait_for_news(seconds: float) -> None:
    """Return on a notification, or after so many seconds."""
    connection.ensure_connection()
    for _ in connection.connection.notifies(timeout=seconds, stop_after=1):
        pass


def one_pass() -> None:
    """Look at every open attempt, free what is unused, start what fits, say what waits.

    A fault with one job, say an unreadable folder, holds up none of the others.
    """
    local.reap()
    for attempt in RunAttempt.objects.open().select_related("job"):
        guarded(observe, attempt)
    release_devices()
    launch_queued()
    note_waiting()


def guarded(step: Callable[..., Any], *arguments: Any) -> None:
    """Carry out one step; what goes wrong but the database is logged, not raised."""
    try:
        step(*arguments)
    except DatabaseError:
        raise
    except Exception:
        logger.exception("%s failed for %s", step.__name__, arguments)


# -- What runs -----------------------------------------------------------------


def observe(attempt: RunAttempt) -> None:
    """One attempt: found dead, found stalled, or told to stop."""
    if not local.is_alive(attempt.job_id):
        if not _may_be_starting(attempt):
            close_lost(attempt.pk)
    elif words := stalled_words(attempt, timezone.now()):
        logger.warning("%s: %s", attempt, words)
        local.kill(attempt.job_id)
        close_lost(attempt.pk, outcome="stalled", words=words)
    else:
        local.write_base_url(attempt.job_id)
        if attempt.job.stop_reason:
            local.stop(attempt.job_id)


def _may_be_starting(attempt: RunAttempt) -> bool:
    """A reconciler that lost its lease may be just about to start the process."""
    young = timezone.now() - attempt.created_at < LAUNCH_GRACE
    return young and attempt.launched_at is None and attempt.started_at is None


def stalled_words(attempt: RunAttempt, now: datetime) -> str:
    """Why an attempt that has its process counts as stalled; empty if it does not.

    Silence alone is not enough: a trainer that cannot reach us keeps touching a file.
    A trainer that only says that it lives, and nothing new for long, hangs too.
    """
    began = attempt.launched_at or attempt.created_at
    beat = local.last_beat(attempt.job_id, attempt.pk)
    last_sign = max(filter(None, (began, attempt.last_event_at, beat)))
    if (silence := (now - last_sign).total_seconds()) > settings.RUN_STALLED_SECONDS:
        return f"The trainer gave no sign of life for {silence:.0f} s and was ended."
    progress = max(filter(None, (began, attempt.last_progress_at)))
    in_touch = attempt.last_event_at is not None and attempt.last_event_at > progress
    idle = (now - progress).total_seconds()
    if in_touch and idle > settings.RUN_IDLE_SECONDS:
        return f"The trainer got no further for {idle:.0f} s and was ended."
    return ""


@transaction.atomic
def close_lost(
    attempt_id: UUID,
    outcome: str = "lost",
    words: str = "The trainer's process ended without a word.",
) -> None:
    """End an attempt whose trainer can report no more; its job goes on or ends."""
    attempt = RunAttempt.objects.select_for_update(of=("self",)).get(pk=attempt_id)
    if attempt.ended_at is not None:
        return
    job = locked(attempt.job_id)
    if attempt.launched_at is None and attempt.started_at is None:
        close_unstarted(job, attempt, "The reconciler ended before it could start it.")
        return
    tail = local.log_tail(job.pk, attempt.pk)
    kind = faults.recognise(tail)
    attempt_failed(
        job,
        attempt,
        outcome=outcome,
        kind=kind or outcome,
        message=faults.WORDS.get(kind, words),
        stack=tail,
        log_tail=tail,
        by=RECONCILER,
    )


def release_devices() -> None:
    """Free what ended attempts held, once their processes are gone."""
    claims = DeviceClaim.objects.exclude(attempt__ended_at=None)
    for claim in claims.select_related("attempt"):
        attempt = claim.attempt
        if not local.is_alive(attempt.job_id):
            guarded(keep_log, attempt)
            claim.delete()
        elif attempt.ended_at and timezone.now() - attempt.ended_at > EXIT_GRACE:
            guarded(local.kill, attempt.job_id)


def keep_log(attempt: RunAttempt) -> None:
    """The end of what a failed attempt printed; its process says nothing more now."""
    if attempt.outcome == "failed" and not attempt.log_tail:
        tail = local.log_tail(attempt.job_id, attempt.pk)
        RunAttempt.objects.filter(pk=attempt.pk).update(log_tail=tail)
