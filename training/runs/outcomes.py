"""Ends attempts and decides what happens to the job: finish, pause or retry."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from training.costs.charges import charged_seconds, compute_usd
from training.domain import failures, lifecycle
from training.domain.estimator.estimate import rounded
from training.estimates.learning import learn_from_lack_of_memory, learn_from_run
from training.jobs import notices
from training.jobs.notices import tell
from training.jobs.transitions import (
    close_job,
    fail_job,
    pause_now,
    requeue,
    stop_if_asked,
    wake_reconciler,
)
from training.models import RunAttempt, TrainingJob


def end_attempt(
    attempt: RunAttempt, outcome: str, *, charged: bool = True, **fields: Any
) -> None:
    """End an attempt; its token is revoked, so later reports are rejected."""
    attempt.ended_at = timezone.now()
    attempt.outcome = outcome
    attempt.charged = charged
    for name, value in fields.items():
        setattr(attempt, name, value)
    attempt.save()


def attempt_completed(job: TrainingJob, attempt: RunAttempt, *, by: str) -> None:
    """Complete the job after its adapter was received."""
    end_attempt(attempt, "completed")
    learn_from_run(job, attempt)
    job.progress = 1.0
    job.current_stage = "completed"
    job.save(update_fields=["progress", "current_stage", "updated_at"])
    close_job(job, lifecycle.COMPLETED, "adapter stored", by=by)
    tell(job, notices.COMPLETED, "the adapter is ready to download")
    wake_reconciler()


def attempt_stopped(
    job: TrainingJob, attempt: RunAttempt, step: int | None, *, by: str
) -> None:
    """Handle a trainer that saved and stopped, on request or after a SIGTERM."""
    end_attempt(attempt, "stopped")
    if not stop_if_asked(job, f"stopped after step {step}", by=by):
        requeue(job, "the trainer received SIGTERM", by=by)
    wake_reconciler()


def attempt_failed(
    job: TrainingJob,
    attempt: RunAttempt,
    *,
    outcome: str,
    kind: str,
    message: str,
    stack: str = "",
    log_tail: str = "",
    by: str,
) -> None:
    """Fail the job if its owner has to change something, else retry it.

    An attempt that failed through our fault is not charged.
    """
    users_fault = kind in failures.USERS_FAULTS
    end_attempt(
        attempt,
        outcome,
        charged=users_fault,
        failure_kind=kind,
        error_message=message,
        error_stack=stack,
        log_tail=log_tail,
    )
    if kind == failures.OUT_OF_MEMORY:
        learn_from_lack_of_memory(job)
    job.running_seconds = charged_seconds(job)
    job.current_cost = rounded(compute_usd(job))
    job.save(update_fields=["running_seconds", "current_cost", "updated_at"])
    if job.is_cancelling:
        stop_if_asked(job, message, by=by)
    elif kind in failures.CERTAIN:
        fail_job(job, kind, message, stack, by=by)
    else:
        retry_or_fail(job, kind, message, stack, by=by)
    wake_reconciler()


def retry_or_fail(
    job: TrainingJob, kind: str, message: str, stack: str, *, by: str
) -> None:
    """Requeue the job with backoff, or fail it after the last attempt."""
    job.retry_count += 1
    job.save(update_fields=["retry_count", "updated_at"])
    if job.retry_count >= settings.RUN_MAX_ATTEMPTS:
        words = f"{message} (attempt {job.retry_count} was the last one)"
        fail_job(job, kind, words, stack, by=by)
    elif job.pause_requested_at is not None:
        pause_now(job, message, by=by)
    else:
        seconds = settings.RUN_RETRY_SECONDS * 2 ** (job.retry_count - 1)
        later = timezone.now() + timedelta(seconds=seconds)
        requeue(job, f"{message} Retrying.", by=by, retry_at=later)
