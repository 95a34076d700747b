"""How a job changes its state, with the history and the costs that go with it."""

from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import connection
from django.db.models import Sum
from django.utils import timezone

from training.domain import lifecycle
from training.domain.estimate import rounded
from training.models import BY_LENGTH, CostRecord, JobEvent, RunAttempt, TrainingJob
from training.month_budget import watch_month

WAKE_CHANNEL = "lora_pipeline_reconcile"


def wake_reconciler() -> None:
    """Tell the reconciler to look, as part of the running transaction."""
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
    """One line of the job's timeline; the job already has its new status."""
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
    """Who asked a run to stop: it stops later, and by other hands."""
    if job.is_active:
        record_status(job, job.status, f"asked to {what}", by=by)


def move_to(
    job: TrainingJob,
    status: str,
    why: str,
    *,
    by: str,
    attempt: RunAttempt | None = None,
    **fields: Any,
) -> None:
    """Change a job's status with its event, or raise TransitionRefused."""
    before = job.status
    lifecycle.check_transition(before, status)
    job.status = status
    for name, value in fields.items():
        setattr(job, name, value)
    job.save(update_fields=["status", "updated_at", *fields])
    record_status(job, before, why, by=by, attempt=attempt)


def locked(job_id: UUID) -> TrainingJob:
    """The job's row, held until the transaction ends."""
    return TrainingJob.objects.select_for_update(of=("self",)).get(pk=job_id)


def close_job(
    job: TrainingJob, status: str, why: str, *, by: str, **fields: Any
) -> None:
    """End a job with its final cost; the storage is charged only with an adapter."""
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


def record_cost(job: TrainingJob, storage: Decimal) -> None:
    """Keep what the job came to, for the owner's books."""
    compute = rounded(compute_usd(job))
    record = CostRecord.objects.create(
        job=job,
        running_seconds=job.running_seconds,
        compute_usd=compute,
        storage_usd=storage,
        total_usd=compute + storage,
    )
    watch_month(record)


def compute_usd(job: TrainingJob) -> Decimal:
    """Charged running time so far at the frozen price of all reserved GPUs."""
    hours = Decimal(job.running_seconds) / 3600
    return hours * job.usd_per_gpu_hour * job.gpu_count


def charged_seconds(job: TrainingJob) -> float:
    """Running time of the attempts that are charged: not of those that we lost."""
    charged = job.attempts.filter(charged=True)
    return float(charged.aggregate(seconds=Sum("running_seconds"))["seconds"] or 0.0)


def record_log(
    job: TrainingJob,
    message: str,
    *,
    level: str = "info",
    attempt: RunAttempt | None = None,
    kind: str = JobEvent.Kind.LOG,
) -> None:
    """One line of the job's log."""
    JobEvent.objects.create(
        job=job,
        attempt=attempt,
        at=timezone.now(),
        kind=kind,
        level=level,
        message=message,
    )
