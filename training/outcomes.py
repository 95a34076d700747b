"""How attempts end, and what becomes of their job: over, paused, or once more."""

from datetime import timedelta
from typing import Any

from django.conf import settings
from django.utils import timezone

from training import notices
from training.calibrating import learn_from_lack_of_memory, learn_from_run
from training.domain import faults, lifecycle
from training.domain.estimate import rounded
from training.models import RunAttempt, TrainingJob
from training.notices import tell
from training.transitions import (
    charged_seconds,
    close_job,
    compute_usd,
    move_to,
    wake_reconciler,
)


def end_attempt(
    attempt: RunAttempt, outcome: str, *, charged: bool = True, **fields: Any
) -> None:
    """The token dies here: nothing that this attempt reports later is taken."""
    attempt.ended_at = timezone.now()
    attempt.outcome = outcome
    attempt.charged = charged
    for name, value in fields.items():
        setattr(attempt, name, value)
    attempt.save()


def attempt_completed(job: TrainingJob, attempt: RunAttempt, *, by: str) -> None:
    """The adapter is here: the job is done."""
    end_attempt(attempt, "completed")
    learn_from_run(job, attempt)
    job.progress = 1.0
    job.current_stage = "completed"
    job.save(update_fields=["progress", "current_stage", "updated_at"])
    close_job(job, lifecycle.COMPLETED, "the adapter is stored", by=by)
    tell(job, notices.COMPLETED, "its adapter can be downloaded")
    wake_reconciler()


def attempt_stopped(
    job: TrainingJob, attempt: RunAttempt, step: int | None, *, by: str
) -> None:
    """The trainer saved and stopped: since it was told to, or by somebody's SIGTERM."""
    end_attempt(attempt, "stopped")
    if not stop_if_asked(job, f"stopped after step {step}", by=by):
        requeue(job, "the trainer was told to stop from outside", by=by)
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
    """Fail the job where its owner has to change something; else try it again.

    An attempt that failed by our making is not charged.
    """
    users_fault = kind in faults.USERS_FAULTS
    end_attempt(
        attempt,
        outcome,
        charged=users_fault,
        failure_kind=kind,
        error_message=message,
        error_stack=stack,
        log_tail=log_tail,
    )
    if kind == faults.OUT_OF_MEMORY:
        learn_from_lack_of_memory(job)
    job.running_seconds = charged_seconds(job)
    job.current_cost = rounded(compute_usd(job))
    job.save(update_fields=["running_seconds", "current_cost", "updated_at"])
    if job.is_cancelling:
        stop_if_asked(job, message, by=by)
    elif users_fault:
        fail_job(job, kind, message, stack, by=by)
    else:
        retry_or_fail(job, kind, message, stack, by=by)
    wake_reconciler()


def stop_if_asked(job: TrainingJob, why: str, *, by: str) -> bool:
    """Cancel or pause a job that was waiting for its trainer to stop."""
    if job.is_cancelling:
        cancel_now(job, why, by=by)
    elif job.pause_requested_at is not None:
        pause_now(job, why, by=by)
    else:
        return False
    return True


def cancel_now(job: TrainingJob, why: str, *, by: str) -> None:
    """End a job that has no trainer at work; its checkpoints stay."""
    close_job(job, lifecycle.CANCELLED, why[:300], by=by)
    tell(job, notices.CANCELLED, why)


def pause_now(job: TrainingJob, why: str, *, by: str) -> None:
    """Put a job aside that has no trainer at work; its machine is free for others."""
    note = "paused at its cap" if job.pause_reason == "budget" else "paused"
    move_to(
        job,
        lifecycle.PAUSED,
        f"{note}: {why}"[:300],
        by=by,
        pause_requested_at=None,
        estimated_completion_at=None,
        remaining=None,
        expected_start_at=None,
        queue_position=None,
        retry_at=None,
        status_note=note,
    )
    tell(job, notices.PAUSED, f"{note}; resume it when you like")


def fail_job(job: TrainingJob, kind: str, message: str, stack: str, *, by: str) -> None:
    """End a job in failure, with what its owner should know and may change."""
    suggestion = faults.suggest(
        kind,
        job.hyperparameters,
        plan=job.plan,
        processes=job.process_count,
        base_model=job.base_model_id,
        default_model=settings.DEFAULT_BASE_MODEL,
    )
    close_job(
        job,
        lifecycle.FAILED,
        message[:300],
        by=by,
        failure_kind=kind,
        error_message=message,
        error_stack=stack,
        suggestion=suggestion.as_dict() if suggestion else None,
    )
    advice = f" {suggestion.words}" if suggestion else ""
    tell(job, notices.FAILED, message + advice)


def retry_or_fail(
    job: TrainingJob, kind: str, message: str, stack: str, *, by: str
) -> None:
    """Queue the job again with a growing pause, or fail it after the last attempt."""
    job.retry_count += 1
    job.save(update_fields=["retry_count", "updated_at"])
    if job.retry_count >= settings.RUN_MAX_ATTEMPTS:
        words = f"{message} (attempt {job.retry_count} was the last)"
        fail_job(job, kind, words, stack, by=by)
    elif job.pause_requested_at is not None:
        pause_now(job, message, by=by)
    else:
        seconds = settings.RUN_RETRY_SECONDS * 2 ** (job.retry_count - 1)
        later = timezone.now() + timedelta(seconds=seconds)
        requeue(job, f"{message} Trying again.", by=by, retry_at=later)


def requeue(job: TrainingJob, why: str, *, by: str, **fields: Any) -> None:
    """Back to the queue, to resume from the last checkpoint that was reported."""
    move_to(
        job,
        lifecycle.QUEUED,
        why[:300],
        by=by,
        current_stage="queued",
        estimated_completion_at=None,
        remaining=None,
        **fields,
    )
