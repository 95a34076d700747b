"""Status transitions of a job, with their history and costs."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection
from django.utils import timezone

from training.costs.charges import compute_usd, record_cost
from training.domain import failures, lifecycle
from training.domain.estimator.estimate import rounded
from training.jobs import notices
from training.jobs.notices import tell
from training.models import BY_LENGTH, JobEvent, RunAttempt, TrainingJob

WAKE_CHANNEL = "lora_pipeline_reconcile"


def wake_reconciler() -> None:
    """Wake the reconciler when the current transaction commits."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [WAKE_CHANNEL])


def record_status(
    job: TrainingJob,
    before: str,
    why: str,
    *,
    by: str,
    attempt: RunAttempt | None = None,
) -> None:
    """Add a timeline entry; the job already has its new status."""
    JobEvent.objects.create(
        job=job,
        attempt=attempt,
        at=timezone.now(),
        kind=JobEvent.Kind.STATUS,
        from_status=before,
        to_status=job.status,
        by=by[:BY_LENGTH],
        message=why,
    )


def note_asked(job: TrainingJob, what: str, *, by: str) -> None:
    """Record who asked a run to stop; it stops later."""
    if job.is_active:
        record_status(job, job.status, f"{what} requested", by=by)


def move_to(
    job: TrainingJob,
    status: str,
    why: str,
    *,
    by: str,
    attempt: RunAttempt | None = None,
    **fields: Any,
) -> None:
    """Change a job's status and record it, or raise TransitionRefused."""
    before = job.status
    lifecycle.check_transition(before, status)
    job.status = status
    for name, value in fields.items():
        setattr(job, name, value)
    job.save(update_fields=["status", "updated_at", *fields])
    record_status(job, before, why, by=by, attempt=attempt)


def locked(job_id: UUID) -> TrainingJob:
    """The job's row, locked until the transaction ends."""
    return TrainingJob.objects.select_for_update(of=("self",)).get(pk=job_id)


def close_job(
    job: TrainingJob, status: str, why: str, *, by: str, **fields: Any
) -> None:
    """End a job with its final cost; storage is charged only with an adapter."""
    stored = job.artifact_id is not None
    storage = job.storage_usd if stored else Decimal(0)
    final = rounded(compute_usd(job)) + storage
    move_to(
        job,
        status,
        why,
        by=by,
        completed_at=timezone.now(),
        estimated_completion_at=None,
        remaining=None,
        expected_start_at=None,
        queue_position=None,
        status_note="",
        current_cost=final,
        final_cost=final,
        **fields,
    )
    record_cost(job, storage)


def record_log(
    job: TrainingJob,
    message: str,
    *,
    level: str = "info",
    attempt: RunAttempt | None = None,
    kind: str = JobEvent.Kind.LOG,
) -> None:
    """Add a line to the job's log."""
    JobEvent.objects.create(
        job=job,
        attempt=attempt,
        at=timezone.now(),
        kind=kind,
        level=level,
        message=message,
    )


def stop_if_asked(job: TrainingJob, why: str, *, by: str) -> bool:
    """Cancel or pause a job whose trainer was asked to stop."""
    if job.is_cancelling:
        cancel_now(job, why, by=by)
    elif job.pause_requested_at is not None:
        pause_now(job, why, by=by)
    else:
        return False
    return True


def cancel_now(job: TrainingJob, why: str, *, by: str) -> None:
    """Cancel a job without a running trainer; its checkpoints stay."""
    close_job(job, lifecycle.CANCELLED, why[:300], by=by)
    tell(job, notices.CANCELLED, why)


def pause_now(job: TrainingJob, why: str, *, by: str) -> None:
    """Pause a job without a running trainer; its machine becomes free."""
    note = "paused at its cost cap" if job.pause_reason == "budget" else "paused"
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
    tell(job, notices.PAUSED, f"{note}; you can resume it any time")


def fail_job(job: TrainingJob, kind: str, message: str, stack: str, *, by: str) -> None:
    """Fail a job, with the error message and the suggested change."""
    suggestion = failures.suggest(
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


def requeue(job: TrainingJob, why: str, *, by: str, **fields: Any) -> None:
    """Requeue a job, to resume from the last reported checkpoint."""
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
