"""User- and operator-initiated writes to jobs."""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from datasets.models import Dataset
from lora_pipeline.accounts.quotas import require_room
from lora_pipeline.models import User
from notifications.services import tell
from training.costs.budget import require_budget
from training.domain import lifecycle, presets
from training.domain.budget import hold_usd
from training.domain.config import JobConfig, fill_defaults
from training.domain.estimator.estimate import rounded
from training.estimates.checked import CheckedConfig, checked
from training.estimates.lengths import counts_of
from training.estimates.quote import quote, require_memory
from training.estimates.rules import require_learning, require_ready
from training.estimates.snapshot import expectations
from training.jobs import idempotency, refusals
from training.jobs.idempotency import Claim
from training.jobs.transitions import (
    cancel_now,
    locked,
    note_asked,
    record_status,
    wake_reconciler,
)
from training.models import NAME_LENGTH, TrainingJob


@transaction.atomic
def create_job(
    *,
    owner: User,
    dataset: Dataset,
    asked: CheckedConfig,
    claim: Claim | None = None,
    by: str = "",
) -> tuple[TrainingJob, bool]:
    """Queue a job: the job, its first event, its notification and wake-up, atomically.

    `by` names the actor if it is not the owner.
    Returns the job and whether it is new: a claim already used with the same body
    returns the job it created. Raises Refusal: 400 for an invalid configuration or
    dataset, 402 over budget, 409 for a claim used with another body or where
    too many wait, 413 where the owner's storage is full.
    """
    if claim is not None and (earlier := idempotency.take(owner=owner, claim=claim)):
        return earlier, False
    job = _queue(owner=owner, dataset=dataset, asked=asked, by=by)
    if claim is not None:
        idempotency.settle(owner=owner, claim=claim, job=job)
    return job, True


def _queue(
    *,
    owner: User,
    dataset: Dataset,
    asked: CheckedConfig,
    by: str,
) -> TrainingJob:
    require_ready(dataset)
    require_room(owner=owner, kind="queued_jobs")
    require_room(owner=owner, kind="storage_bytes")
    estimate, config = quote(dataset=dataset, asked=asked), asked.config
    counts = counts_of(dataset, config.base_model)
    require_learning(counts, config.hyperparameters.max_length)
    require_memory(estimate, config)
    expected = expectations(estimate, asked.gpu)
    needed = hold_usd(
        estimated_usd=rounded(estimate.total_usd),
        max_cost=config.max_cost,
        high_usd=expected["estimated_high_cost"],
    )
    require_budget(owner=owner, needed_usd=needed)
    choices = _choices(config)
    job = TrainingJob.objects.create(
        **choices,
        **expected,
        user=owner,
        dataset=dataset,
        name=config.name or _default_name(dataset, choices["preset_id"]),
        queued_at=timezone.now(),
    )
    own = by in {"", owner.get_username()}
    words = "queued by its owner" if own else "queued for its owner by an operator"
    record_status(job, "", words, by=by or owner.get_username())
    _notify_queued(job)
    wake_reconciler()
    return job


def queued_jobs(user: User) -> int:
    """How many jobs of a user wait."""
    return TrainingJob.objects.filter(user=user).queued().count()


def _default_name(dataset: Dataset, preset_id: str) -> str:
    """The dataset's name and the preset, cut to the maximum length."""
    rest = f", {preset_id}"
    return dataset.name[: NAME_LENGTH - len(rest)] + rest


def _choices(config: JobConfig) -> dict[str, Any]:
    """The job's fields with the user's choices."""
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
        "priority": config.priority,
    }


def _notify_queued(job: TrainingJob) -> None:
    tell(
        user_id=job.user_id,
        kind="job_queued",
        values={
            "job_id": str(job.pk),
            "job_name": job.name,
            "dataset_name": job.dataset.name,
            "gpu_count": job.gpu_count,
            "gpu_type": job.gpu_type,
        },
        action_url=job.path,
    )


@transaction.atomic
def cancel_job(*, job_id: UUID, by: str) -> TrainingJob:
    """Cancel a queued job immediately; ask a run to stop. 409 if ended."""
    job = locked(job_id)
    if job.is_final:
        raise refusals.ALREADY_ENDED.refusal(status=job.status)
    if job.cancel_requested_at is None:
        job.cancel_requested_at = timezone.now()
        job.save(update_fields=["cancel_requested_at", "updated_at"])
        note_asked(job, "cancel", by=by)
    if job.status in {lifecycle.QUEUED, lifecycle.PAUSED}:
        cancel_now(job, f"cancelled while it was {job.status}", by=by)
    wake_reconciler()
    return job


@transaction.atomic
def rename_job(*, job_id: UUID, name: str) -> None:
    """Rename a job."""
    job = locked(job_id)
    job.name = name
    job.save(update_fields=["name", "updated_at"])


@transaction.atomic
def move_job(*, job_id: UUID, gpu_type: str, gpu_count: int, by: str) -> None:
    """Move a queued job to another GPU type, at a new estimate and the current price.

    Raises Refusal: 409 if the job has left the queue, 400 for an unknown type or
    count, 402 if the budget does not cover the new estimate.
    """
    job = locked(job_id)
    if job.status != lifecycle.QUEUED or job.cancel_requested_at is not None:
        raise refusals.NOT_QUEUED.refusal(status=job.status)
    asked = checked(replace(config_of(job), gpu_type=gpu_type, gpu_count=gpu_count))
    estimate = quote(dataset=job.dataset, asked=asked)
    expected = expectations(estimate, asked.gpu)
    needed = hold_usd(
        estimated_usd=expected["estimated_total_cost"],
        max_cost=job.max_cost,
        high_usd=expected["estimated_high_cost"],
    )
    require_budget(owner=job.user, needed_usd=needed, besides=job)
    before = f"{job.gpu_count} x {job.gpu_type}"
    job.gpu_config = {"type": gpu_type, "count": gpu_count}
    for name, value in expected.items():
        setattr(job, name, value)
    job.status_note, job.queue_position = "", None
    job.save()
    record_status(
        job,
        job.status,
        f"moved from {before} to {gpu_count} x {gpu_type}, now estimated at "
        f"{job.estimated_total_cost} USD",
        by=by,
    )
    wake_reconciler()


def config_of(job: TrainingJob) -> JobConfig:
    """The configuration of an existing job."""
    return JobConfig(
        gpu_type=job.gpu_type,
        gpu_count=job.gpu_count,
        hyperparameters=fill_defaults(job.hyperparameters),
        preset_id=job.preset_id,
        base_model=_model_asked_for(job),
        name=job.name,
        quoted_cost=job.quoted_cost,
        max_cost=job.max_cost,
        priority=job.priority,
    )


def _model_asked_for(job: TrainingJob) -> str:
    """Empty if the request had none, so that a new estimate uses the same method."""
    by_catalogue = job.estimate is None or job.estimate["basis"] == "catalogue"
    is_default = job.base_model_id == settings.DEFAULT_BASE_MODEL
    return "" if by_catalogue and is_default else job.base_model_id


@transaction.atomic
def hide_job(*, job_id: UUID) -> None:
    """Soft-delete an ended job; its records stay."""
    job = locked(job_id)
    if not job.is_final:
        raise refusals.NOT_DELETABLE.refusal(status=job.status)
    job.hidden_at = timezone.now()
    job.save(update_fields=["hidden_at", "updated_at"])
