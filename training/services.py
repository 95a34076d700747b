"""Every write about jobs that a user or an operator causes."""

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import connection, transaction
from django.utils import timezone

from datasets.models import Dataset
from lora_pipeline.envelope import Refusal
from lora_pipeline.models import User
from notifications.services import notify
from training.domain import lifecycle, presets
from training.domain.config import JobConfig
from training.domain.estimate import (
    Estimate,
    Machine,
    Workload,
    catalogue_estimate,
    rounded,
)
from training.models import CostRecord, GpuType, JobEvent, RunAttempt, TrainingJob
from training.validation import find_problems, require_ready, require_statistics

WAKE_CHANNEL = "lora_pipeline_reconcile"


def wake_reconciler() -> None:
    """Tell the reconciler to look, as part of the running transaction."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_notify(%s, '')", [WAKE_CHANNEL])


def quote(*, dataset: Dataset, config: JobConfig) -> tuple[Estimate, GpuType]:
    """What a job would cost and how long it would take; writes nothing.

    Raises Refusal with every fault by field.
    """
    require_statistics(dataset)
    gpu = GpuType.objects.filter(pk=config.gpu_type).first()
    if problems := find_problems(config, gpu):
        raise Refusal(
            "Some values cannot be used: see details.",
            code="invalid",
            details=problems.by_field,
        )
    assert gpu is not None
    return estimate_on(gpu, dataset=dataset, config=config), gpu


def estimate_on(gpu: GpuType, *, dataset: Dataset, config: JobConfig) -> Estimate:
    """The estimate of one configuration on any GPU type."""
    work = Workload(
        training_pairs=dataset.total_training_pairs or 0,
        total_tokens=dataset.total_tokens or 0,
        batch_size=config.hyperparameters.batch_size,
        epochs=config.hyperparameters.epochs,
    )
    machine = Machine(
        usd_per_hour=gpu.usd_per_hour,
        tokens_per_second=gpu.tokens_per_second,
        count=min(config.gpu_count, gpu.max_count),
        storage_cost=gpu.storage_cost,
    )
    return catalogue_estimate(work, machine)


@transaction.atomic
def create_job(*, owner: User, dataset: Dataset, config: JobConfig) -> TrainingJob:
    """Queue a job: the job, its first event, its notice and the wake-up, or nothing."""
    require_ready(dataset)
    estimate, gpu = quote(dataset=dataset, config=config)
    choices = _choices(config)
    job = TrainingJob.objects.create(
        **choices,
        **_expectations(estimate, gpu),
        user=owner,
        dataset=dataset,
        name=config.name or f"{dataset.name}, {choices['preset_id']}",
        queued_at=timezone.now(),
    )
    record_status(job, "", "queued by its owner", by=owner.get_username())
    _notify_queued(job)
    wake_reconciler()
    return job


def _choices(config: JobConfig) -> dict[str, Any]:
    """The job's fields that say what the user chose."""
    values = config.hyperparameters.as_dict()
    return {
        "preset_id": presets.name_of(config.preset_id, values),
        "hyperparameters": values,
        "gpu_config": {"type": config.gpu_type, "count": config.gpu_count},
        "base_model_id": config.base_model or settings.DEFAULT_BASE_MODEL,
        "seed": config.hyperparameters.seed,
        "total_epochs": config.hyperparameters.epochs,
        "quoted_cost": config.quoted_cost,
        "max_cost": config.max_cost,
    }


def _expectations(estimate: Estimate, gpu: GpuType) -> dict[str, Any]:
    """The job's fields that say what we expect, at a price frozen now."""
    return {
        "total_steps": estimate.total_steps,
        "usd_per_gpu_hour": gpu.usd_per_hour,
        "storage_usd": rounded(estimate.storage_usd),
        "estimated_total_cost": rounded(estimate.total_usd),
        "estimated_hours": float(estimate.hours),
    }


def _notify_queued(job: TrainingJob) -> None:
    notify(
        user_id=job.user_id,
        type="job_queued",
        title="Training Job Queued",
        message=f"{job.name} waits for a machine: {job.gpu_count} x {job.gpu_type}.",
        action_url=job.get_absolute_url(),
        metadata={"job_id": str(job.pk), "dataset_name": job.dataset.name},
    )


def record_status(job: TrainingJob, before: str, why: str, *, by: str) -> None:
    """One line of the job's timeline; the job already has its new status."""
    JobEvent.objects.create(
        job=job,
        at=timezone.now(),
        kind=JobEvent.Kind.STATUS,
        from_status=before,
        to_status=job.status,
        by=by,
        message=why,
    )


def move_to(job: TrainingJob, status: str, why: str, *, by: str, **fields: Any) -> None:
    """Change a job's status with its event, or raise TransitionRefused."""
    before = job.status
    lifecycle.check_transition(before, status)
    job.status = status
    for name, value in fields.items():
        setattr(job, name, value)
    job.save(update_fields=["status", "updated_at", *fields])
    record_status(job, before, why, by=by)


def locked(job_id: UUID) -> TrainingJob:
    """The job's row, held until the transaction ends."""
    return TrainingJob.objects.select_for_update(of=("self",)).get(pk=job_id)


@transaction.atomic
def cancel_job(*, job_id: UUID, by: str) -> TrainingJob:
    """Cancel at once what waits; ask a run to stop. 409 for what has ended."""
    job = locked(job_id)
    if job.is_final:
        raise Refusal(
            f"The job has already ended: it is {job.status}.",
            status_code=409,
            code="already_ended",
        )
    if job.cancel_requested_at is None:
        job.cancel_requested_at = timezone.now()
        job.save(update_fields=["cancel_requested_at", "updated_at"])
    if job.status == lifecycle.QUEUED:
        close_job(job, lifecycle.CANCELLED, "cancelled before it started", by=by)
    wake_reconciler()
    return job


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
    CostRecord.objects.create(
        job=job,
        running_seconds=job.running_seconds,
        compute_usd=compute,
        storage_usd=storage,
        total_usd=compute + storage,
    )


def compute_usd(job: TrainingJob) -> Decimal:
    """Running time so far at the frozen price of all reserved GPUs."""
    hours = Decimal(job.running_seconds) / 3600
    return hours * job.usd_per_gpu_hour * job.gpu_count


@transaction.atomic
def hide_job(*, job_id: UUID) -> None:
    """Put an ended job out of sight; its records stay."""
    job = locked(job_id)
    if not job.is_final:
        raise Refusal(
            f"The job is {job.status}: cancel it before deleting it.",
            status_code=409,
            code="not_ended",
        )
    job.hidden_at = timezone.now()
    job.save(update_fields=["hidden_at", "updated_at"])


def on_other_gpu(config: JobConfig, gpu: GpuType) -> JobConfig:
    """The same configuration on another GPU type, with a count that it allows."""
    return replace(
        config, gpu_type=gpu.name, gpu_count=min(config.gpu_count, gpu.max_count)
    )


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
