"""Starts queued jobs: which one is next, and on which devices."""

import errno
import logging
import secrets
from collections import defaultdict
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import DatabaseError, IntegrityError, transaction
from django.db.models import Max
from django.utils import timezone

from lora_pipeline.tokens import RUN_TOKEN_START, hash_secret
from training.domain import failures, lifecycle
from training.domain.queue import Share, Waiting, fair_order
from training.jobs.transitions import locked, move_to, requeue, stop_if_asked
from training.launchers import local
from training.models import DeviceClaim, GpuOffer, RunAttempt, TrainingJob
from training.runs.draining import is_draining
from training.runs.missing_folders import awaits_its_folder
from training.runs.outcomes import attempt_failed, end_attempt

logger = logging.getLogger(__name__)
RECONCILER = "reconciler"
TURNS_REMEMBERED = timedelta(days=1)

Offers = dict[str, list[str]]


def launch_queued() -> None:
    """Start queued jobs in fair order while devices are free; none overtakes."""
    if is_draining():
        return
    now = timezone.now()
    due = [job for job in TrainingJob.objects.queued() if _may_start(job, now)]
    if not due:
        return
    free = free_devices()
    blocked = set()
    for waiting in fair_order(map(_waiting, due), shares()):
        left = free.get(waiting.gpu_type, [])
        if waiting.gpu_type in blocked or waiting.gpu_count > len(left):
            blocked.add(waiting.gpu_type)
            continue
        wanted, rest = left[: waiting.gpu_count], left[waiting.gpu_count :]
        if launch(waiting.id, wanted):  # type: ignore[arg-type]
            free[waiting.gpu_type] = rest
        else:
            free = free_devices()


def _may_start(job: TrainingJob, now: datetime) -> bool:
    return _is_due(job, now) and not awaits_its_folder(job)


def _is_due(job: TrainingJob, now: datetime) -> bool:
    """A time beyond the longest pause was set by a clock that has gone back since."""
    longest = settings.RUN_RETRY_SECONDS * 2**settings.RUN_MAX_ATTEMPTS
    later = now + timedelta(seconds=longest)
    return job.retry_at is None or not now < job.retry_at <= later


def _waiting(job: TrainingJob) -> Waiting:
    return Waiting(
        id=job.pk,
        user=job.user_id,
        priority=job.priority,
        queued_at=job.queued_at.timestamp(),
        gpu_type=job.gpu_type,
        gpu_count=job.gpu_count,
        seconds=job.estimated_hours * 3600 * (1 - job.progress),
        interrupted=job.retry_at is not None,
    )


def shares() -> dict[Any, Share]:
    """By user: GPUs in use, and when their last run started."""
    found: dict[Any, Share] = defaultdict(Share)
    for job in TrainingJob.objects.active().only("user", "gpu_config"):
        found[job.user_id].gpus += job.gpu_count
    recent = RunAttempt.objects.filter(created_at__gt=timezone.now() - TURNS_REMEMBERED)
    for user, last in recent.values_list("job__user").annotate(Max("created_at")):
        found[user].last_start = last.timestamp()
    return found


def offered_devices() -> Offers:
    """Devices of this machine, by GPU type."""
    offers = GpuOffer.objects.filter(backend=local.BACKEND)
    return {offer.gpu_type_id: offer.device_ids for offer in offers}


def free_devices() -> Offers:
    """Devices not held by any attempt."""
    claims = DeviceClaim.objects.filter(backend=local.BACKEND)
    taken = set(claims.values_list("device", flat=True))
    return {
        gpu_type: [device for device in devices if device not in taken]
        for gpu_type, devices in offered_devices().items()
    }


def launch(job_id: UUID, devices: list[str]) -> bool:
    """Record the attempt, its token and its devices, commit, then start the process."""
    if local.is_alive(job_id):
        return False
    token = RUN_TOKEN_START + secrets.token_urlsafe(32)
    try:
        attempt = begin_attempt(job_id, token, devices)
    except IntegrityError:
        logger.warning("devices %s are taken: %s keeps waiting", devices, job_id)
        return False
    if attempt is None:
        return False
    try:
        _start(attempt, token)
    except DatabaseError:
        raise
    except Exception as error:
        logger.exception("could not start %s", attempt)
        not_started(attempt.pk, error)
        return False
    RunAttempt.objects.filter(pk=attempt.pk).update(launched_at=timezone.now())
    return True


def _start(attempt: RunAttempt, token: str) -> None:
    job = attempt.job
    if job.continued_from_id and attempt.resumed_from_step == job.start_step > 0:
        checkpoint = job.checkpoints.get(step=job.start_step)
        if checkpoint.attempt.job_id != job.pk:
            local.bring_checkpoint(job.continued_from_id, job.pk, checkpoint.name)
    local.launch(
        local.Launch(
            job_id=job.pk,
            run_id=attempt.pk,
            token=token,
            processes=attempt.process_count,
            visible_devices=local.visible_devices(attempt.devices),
        )
    )


@transaction.atomic
def begin_attempt(job_id: UUID, token: str, devices: list[str]) -> RunAttempt | None:
    """Create an attempt that resumes from the last reported checkpoint.

    Metrics that an older attempt reported after that checkpoint will be reported again,
    so they are removed here, in the transaction that fences the older attempt. Raises
    IntegrityError if one of the devices has been taken.
    """
    job = locked(job_id)
    if job.status != lifecycle.QUEUED:
        return None
    resume = job.checkpoints.kept().newest_step()
    job.metrics.filter(step__gt=resume).delete()
    job.checkpoints.filter(step__gt=resume).delete()
    attempt = RunAttempt.objects.create(
        job=job,
        number=job.attempts.count() + 1,
        backend=local.BACKEND,
        token_hash=hash_secret(token),
        resumed_from_step=resume,
        process_count=job.process_count,
        devices=devices,
    )
    _claim(attempt)
    move_to(
        job,
        lifecycle.INITIALIZING,
        f"attempt {attempt.number} starts" + (f" at step {resume}" if resume else ""),
        by=RECONCILER,
        attempt=attempt,
        status_note="",
        queue_position=None,
        expected_start_at=None,
        retry_at=None,
        external_job_id=str(attempt.pk),
        current_step=resume,
        progress=resume / max(job.total_steps, 1),
    )
    return attempt


def _claim(attempt: RunAttempt) -> None:
    """Reserve the devices until the attempt's process is gone; a database constraint
    keeps them exclusive. Earlier attempts of the job no longer have a process.
    """
    DeviceClaim.objects.filter(attempt__job_id=attempt.job_id).delete()
    DeviceClaim.objects.bulk_create(
        DeviceClaim(backend=attempt.backend, device=device, attempt=attempt)
        for device in attempt.devices
    )


@transaction.atomic
def not_started(attempt_id: UUID, error: Exception) -> None:
    """End an attempt whose process did not start."""
    attempt = RunAttempt.objects.select_for_update(of=("self",)).get(pk=attempt_id)
    job = locked(attempt.job_id)
    if attempt.ended_at is not None:
        return
    if isinstance(error, local.StillRunning):
        close_unstarted(
            job, attempt, "A process of an earlier attempt was still running."
        )
        return
    attempt.claims.all().delete()
    attempt_failed(
        job,
        attempt,
        outcome="not_started",
        kind=_kind(job, error),
        message=f"The trainer could not be started: {error}.",
        by=RECONCILER,
    )


def _kind(job: TrainingJob, error: Exception) -> str:
    if isinstance(error, OSError) and error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return failures.DISK_FULL
    if isinstance(error, FileNotFoundError) and job.start_step:
        job.checkpoints.filter(step=job.start_step).update(freed_at=timezone.now())
        return failures.CHECKPOINT_LOST
    return "not_started"


def close_unstarted(job: TrainingJob, attempt: RunAttempt, why: str) -> None:
    """End an attempt that never started; it does not count as a retry."""
    end_attempt(attempt, "not_started", charged=False, error_message=why)
    if not stop_if_asked(job, why, by=RECONCILER):
        requeue(job, why, by=RECONCILER, retry_at=timezone.now())
