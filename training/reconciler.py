"""The loop that moves jobs on: one idempotent pass over what the database says.

Nothing depends on a message having arrived or on a process having lived: every pass
looks at every open job, and does for each the one thing that is due.
"""

import logging
import secrets
import signal
from collections import Counter
from datetime import timedelta
from threading import Event
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import Max
from django.utils import timezone

from lora_pipeline.services import hash_secret
from training.domain import lifecycle
from training.ingest import end_attempt, retry_or_fail
from training.launchers import local
from training.models import GpuOffer, RunAttempt, TrainingJob
from training.transitions import WAKE_CHANNEL, close_job, locked, move_to, record_log

logger = logging.getLogger(__name__)
RECONCILER = "reconciler"
LOCK_KEY = 0x10FA
TERMINATED_AGAIN_AFTER = timedelta(seconds=30)


def run_forever(stop: Event) -> None:
    """Pass after pass until told to stop; only one reconciler works at a time."""
    while not stop.is_set():
        try:
            _work(stop)
        except DatabaseError:
            logger.exception("the database is away; trying again")
            connection.close()
            stop.wait(1)


def _work(stop: Event) -> None:
    with connection.cursor() as cursor:
        cursor.execute(f"LISTEN {WAKE_CHANNEL}")
    while not stop.is_set():
        if _is_leader():
            one_pass()
        wait_for_news(settings.RECONCILE_SECONDS)


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


def wait_for_news(seconds: float) -> None:
    """Return on a notification, or after so many seconds."""
    connection.ensure_connection()
    for _ in connection.connection.notifies(timeout=seconds, stop_after=1):
        pass


def one_pass() -> None:
    """Look at every open attempt, then start what fits, then say what waits."""
    local.reap()
    for attempt in RunAttempt.objects.open().select_related("job"):
        observe(attempt)
    launch_queued()
    note_waiting()


# -- What runs -----------------------------------------------------------------


def observe(attempt: RunAttempt) -> None:
    """One attempt: told to stop, found stalled, or found dead."""
    if not local.is_alive(attempt.job_id):
        close_lost(attempt.pk)
        return
    local.write_base_url(attempt.job_id)
    if attempt.job.cancel_requested_at is not None:
        local.stop(attempt.job_id)
    elif is_stalled(attempt):
        logger.warning("%s said nothing for too long: killing it", attempt)
        local.stop(attempt.job_id, signal.SIGKILL)


def is_stalled(attempt: RunAttempt) -> bool:
    """No event and no heartbeat for RUN_STALLED_SECONDS."""
    last = attempt.last_event_at or attempt.launched_at or attempt.created_at
    silence = timezone.now() - last
    return silence > timedelta(seconds=settings.RUN_STALLED_SECONDS)


@transaction.atomic
def close_lost(attempt_id: UUID) -> None:
    """End an attempt whose trainer died without a word; queue its job again."""
    attempt = RunAttempt.objects.select_for_update(of=("self",)).get(pk=attempt_id)
    if attempt.ended_at is not None:
        return
    job = locked(attempt.job_id)
    end_attempt(attempt, "lost")
    if job.cancel_requested_at is not None:
        close_job(job, lifecycle.CANCELLED, "cancelled", by=RECONCILER)
        return
    tail = local.log_tail(job.pk, attempt.pk)
    if tail:
        record_log(job, tail, level="error", attempt=attempt)
    words = "The trainer's process ended without a word."
    retry_or_fail(job, attempt, words, tail, by=RECONCILER)


# -- What waits ----------------------------------------------------------------


def launch_queued() -> None:
    """Start queued jobs in order, as far as the offers go."""
    offered = dict(GpuOffer.objects.values_list("gpu_type_id", "count"))
    used = Counter[str]()
    for job in TrainingJob.objects.active():
        used[job.gpu_type] += job.gpu_count
    blocked = set()
    now = timezone.now()
    for job in TrainingJob.objects.queued():
        free = offered.get(job.gpu_type, 0) - used[job.gpu_type]
        if job.retry_at is not None and job.retry_at > now:
            continue
        if job.gpu_type in blocked or job.gpu_count > free:
            blocked.add(job.gpu_type)
        elif launch(job.pk):
            used[job.gpu_type] += job.gpu_count


def launch(job_id: UUID) -> bool:
    """Record the attempt and its token, commit, then start the process."""
    if local.is_alive(job_id):
        return False
    token = secrets.token_urlsafe(32)
    attempt = begin_attempt(job_id, token)
    if attempt is None:
        return False
    try:
        local.launch(job_id=job_id, run_id=attempt.pk, token=token)
    except (OSError, local.StillRunning) as error:
        logger.exception("could not start %s", attempt)
        close_unstarted(attempt.pk, str(error))
        return False
    RunAttempt.objects.filter(pk=attempt.pk).update(launched_at=timezone.now())
    return True


@transaction.atomic
def begin_attempt(job_id: UUID, token: str) -> RunAttempt | None:
    """A new attempt that resumes from the last reported checkpoint.

    What an older attempt reported beyond that checkpoint will be measured anew, so it
    is removed here, in the transaction that fences the older attempt.
    """
    job = locked(job_id)
    if job.status != lifecycle.QUEUED:
        return None
    resume = job.checkpoints.aggregate(step=Max("step"))["step"] or 0
    job.metrics.filter(step__gt=resume).delete()
    job.checkpoints.filter(step__gt=resume).delete()
    attempt = RunAttempt.objects.create(
        job=job,
        number=job.attempts.count() + 1,
        backend=local.BACKEND,
        token_hash=hash_secret(token),
        resumed_from_step=resume,
        last_event_at=None,
    )
    move_to(
        job,
        lifecycle.INITIALIZING,
        f"attempt {attempt.number} begins" + (f" at step {resume}" if resume else ""),
        by=RECONCILER,
        status_note="",
        queue_position=None,
        retry_at=None,
        external_job_id=str(attempt.pk),
        current_step=resume,
        progress=resume / job.total_steps,
    )
    return attempt


@transaction.atomic
def close_unstarted(attempt_id: UUID, why: str) -> None:
    """End an attempt whose process could not be started."""
    attempt = RunAttempt.objects.select_for_update(of=("self",)).get(pk=attempt_id)
    job = locked(attempt.job_id)
    end_attempt(attempt, "not_started")
    words = f"The trainer could not be started: {why}."
    retry_or_fail(job, attempt, words, "", by=RECONCILER)


def note_waiting() -> None:
    """Write on each waiting job its place and what it waits for, where that changed."""
    offered = dict(GpuOffer.objects.values_list("gpu_type_id", "count"))
    places = Counter[str]()
    for job in TrainingJob.objects.queued():
        places[job.gpu_type] += 1
        note, place = waiting_note(job, offered), places[job.gpu_type]
        if (job.status_note, job.queue_position) != (note, place):
            TrainingJob.objects.filter(pk=job.pk, status=lifecycle.QUEUED).update(
                status_note=note, queue_position=place
            )


def waiting_note(job: TrainingJob, offered: dict[str, int]) -> str:
    """In words, what a queued job waits for."""
    most = offered.get(job.gpu_type, 0)
    if most == 0:
        return f"waiting for a machine that offers {job.gpu_type}"
    if job.gpu_count > most:
        return f"waiting for a machine that offers {job.gpu_count} x {job.gpu_type}"
    if job.retry_at is not None:
        return "waiting before the next attempt"
    return f"waiting for a free {job.gpu_type}"
