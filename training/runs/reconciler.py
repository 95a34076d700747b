"""The reconciler: an idempotent loop that brings runs in line with the database.

Nothing depends on a message having arrived or a process having survived: every pass
looks at every open job and takes the next step for each.
"""

import logging
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from threading import Event
from typing import Any
from uuid import UUID

import psycopg
from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.utils import timezone

from lora_pipeline.postgres.versions import require_known_database
from training.domain import failures
from training.jobs.transitions import WAKE_CHANNEL, locked
from training.launchers import local
from training.launchers.outputs import bound_log
from training.models import DeviceClaim, RunAttempt
from training.runs import clock
from training.runs.clock import Moment
from training.runs.dispatch import RECONCILER, close_unstarted, launch_queued
from training.runs.heartbeat import beat
from training.runs.outcomes import attempt_failed
from training.runs.reach import note_reach
from training.runs.waiting import note_waiting

logger = logging.getLogger(__name__)
LOCK_KEY = 0x10FA
LAUNCH_GRACE = timedelta(seconds=3)
CONFIRMED_SECONDS = 12.0  # a trainer reports every 5
EXIT_GRACE = timedelta(seconds=30)
LEAVING_SECONDS = 0.1


def run_forever(stop: Event) -> None:
    """Run passes until told to stop; only one reconciler is active at a time."""
    while not stop.is_set():
        try:
            _work(stop)
        except (DatabaseError, psycopg.Error):
            logger.exception("lost the database connection; retrying")
            connection.close()
            stop.wait(1)
            _leave_to_a_newer_program()


def _leave_to_a_newer_program() -> None:
    """Raises DatabaseRefused once an upgrade has changed the tables under us."""
    with suppress(DatabaseError, psycopg.Error):
        require_known_database()


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
    """Poll faster while a trainer is exiting, because others may need its devices."""
    leaving = DeviceClaim.objects.exclude(attempt__ended_at=None).exists()
    return min(LEAVING_SECONDS if leaving else 1e9, settings.RECONCILE_SECONDS)


def wait_for_news(seconds: float) -> None:
    """Return on a notification or after the timeout."""
    connection.ensure_connection()
    for _ in connection.connection.notifies(timeout=seconds, stop_after=1):
        pass


def one_pass() -> None:
    """Observe every open attempt, free devices, start jobs, update the queue.

    An error with one job, such as an unreadable folder, does not affect the others.
    """
    local.reap()
    for attempt in RunAttempt.objects.open().select_related("job"):
        guarded(observe, attempt)
    release_devices()
    launch_queued()
    note_waiting()


def guarded(step: Callable[..., Any], *arguments: Any) -> None:
    """Run one step; logs all errors except those of the database."""
    try:
        step(*arguments)
    except DatabaseError:
        raise
    except Exception:
        logger.exception("%s failed for %s", step.__name__, arguments)


def observe(attempt: RunAttempt) -> None:
    """Check one attempt: dead, stalled, or to be stopped."""
    if not local.is_alive(attempt.job_id):
        if not _may_be_starting(attempt):
            close_lost(attempt.pk)
    elif words := _confirmed(attempt, stalled_words(attempt, timezone.now())):
        logger.warning("%s: %s", attempt, words)
        local.kill(attempt.job_id)
        close_lost(attempt.pk, outcome="stalled", words=words)
    else:
        local.write_base_url(attempt.job_id)
        note_reach(attempt)
        bound_log(attempt.job_id, attempt.pk)
        if attempt.job.stop_reason:
            local.stop(attempt.job_id)


_suspects: dict[UUID, float] = {}


def _confirmed(attempt: RunAttempt, words: str) -> str:
    """The words once they have held for longer than a living trainer is silent.

    A clock that was set this moment makes everybody silent for hours, until their next
    report by the new time.
    """
    if not words:
        _suspects.pop(attempt.pk, None)
        return ""
    now = time.monotonic()
    held = now - _suspects.setdefault(attempt.pk, now)
    if held < min(CONFIRMED_SECONDS, settings.RUN_STALLED_SECONDS):
        return ""
    del _suspects[attempt.pk]
    return words


def _may_be_starting(attempt: RunAttempt) -> bool:
    """A reconciler that lost its lock may be about to start the process."""
    young = timezone.now() - attempt.created_at < LAUNCH_GRACE
    return young and attempt.launched_at is None and attempt.started_at is None


def stalled_words(attempt: RunAttempt, now: datetime) -> str:
    """Why a running attempt counts as stalled; empty if it does not.

    Silence is not enough: a trainer that cannot reach us keeps touching a file.
    A trainer that sends heartbeats but makes no progress for long, or does not stop
    when asked to, is stalled too.
    """
    moment = replace(clock.now(), wall=now)
    began = attempt.launched_at or attempt.created_at
    if (silence := _silence(attempt, began, moment)) > settings.RUN_STALLED_SECONDS:
        return f"The trainer sent no heartbeat for {silence:.0f} s and was stopped."
    if asked := attempt.job.stop_requested_at:
        waited = (now - max(began, asked)).total_seconds()
        waited -= clock.moved_forward(attempt.clocks, attempt.last_event_at, moment)
        if waited > settings.RUN_STALLED_SECONDS:
            return f"The trainer did not stop within {waited:.0f} s and was ended."
    progress = max(filter(None, (began, attempt.last_progress_at)))
    in_touch = attempt.last_event_at is not None and attempt.last_event_at > progress
    steady = clock.idle_seconds(attempt.clocks, moment)
    idle = (now - progress).total_seconds() if steady is None else steady
    if in_touch and idle > settings.RUN_IDLE_SECONDS:
        return f"The trainer made no progress for {idle:.0f} s and was stopped."
    return ""


def _silence(attempt: RunAttempt, began: datetime, moment: Moment) -> float:
    """Seconds since a trainer's last sign: a report, or its heartbeat on the disk.

    By the machine's own clock if both are of this start of the machine, else by the
    wall's.
    """
    beat = local.last_beat(attempt.job_id, attempt.pk)
    signs = (began, attempt.last_event_at, beat)
    wall = (moment.wall - max(filter(None, signs))).total_seconds()
    steady = clock.steady_since(attempt.clocks, "at", moment)
    reading = local.last_beat_reading(attempt.job_id, attempt.pk)
    if steady is None or reading is None or reading[0] != moment.boot:
        return wall
    return min(steady, max(moment.at - reading[1], 0.0))


@transaction.atomic
def close_lost(
    attempt_id: UUID,
    outcome: str = "lost",
    words: str = "The trainer process exited unexpectedly.",
) -> None:
    """End an attempt whose trainer is gone; its job is retried or ends."""
    attempt = RunAttempt.objects.select_for_update(of=("self",)).get(pk=attempt_id)
    if attempt.ended_at is not None:
        return
    job = locked(attempt.job_id)
    if attempt.launched_at is None and attempt.started_at is None:
        close_unstarted(
            job, attempt, "The reconciler stopped before it could start the trainer."
        )
        return
    tail = local.log_tail(job.pk, attempt.pk)
    kind = failures.recognise(tail)
    attempt_failed(
        job,
        attempt,
        outcome=outcome,
        kind=kind or outcome,
        message=failures.WORDS.get(kind, words),
        stack=tail,
        log_tail=tail,
        by=RECONCILER,
    )


def release_devices() -> None:
    """Free the devices of ended attempts once their processes are gone."""
    claims = DeviceClaim.objects.exclude(attempt__ended_at=None)
    for claim in claims.select_related("attempt"):
        attempt = claim.attempt
        if not local.is_alive(attempt.job_id):
            guarded(keep_log, attempt)
            claim.delete()
        elif attempt.ended_at and timezone.now() - attempt.ended_at > EXIT_GRACE:
            guarded(local.kill, attempt.job_id)


def keep_log(attempt: RunAttempt) -> None:
    """Save the end of a failed attempt's output, once its process is gone."""
    if attempt.outcome == "failed" and not attempt.log_tail:
        tail = local.log_tail(attempt.job_id, attempt.pk)
        RunAttempt.objects.filter(pk=attempt.pk).update(log_tail=tail)
