"""Controls of an existing job: pause, resume, start again, continue, priority."""

from dataclasses import replace
from decimal import Decimal
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from lora_pipeline.accounts.quotas import require_room
from lora_pipeline.errors import Refusal
from training.costs.budget import require_budget
from training.costs.charges import reach_usd
from training.domain import lifecycle
from training.domain.budget import spent_percent
from training.domain.config import JobConfig, fill_defaults
from training.domain.estimator.estimate import rounded
from training.domain.priority import HIGH, NORMAL, priority_name
from training.estimates.checked import checked
from training.jobs import refusals
from training.jobs.services import config_of, create_job
from training.jobs.transitions import (
    locked,
    move_to,
    note_asked,
    pause_now,
    record_status,
    wake_reconciler,
)
from training.models import Checkpoint, MetricPoint, TrainingJob


@transaction.atomic
def pause_job(*, job_id: UUID, by: str, reason: str = "owner") -> TrainingJob:
    """Pause a queued job immediately; ask a run to stop after its step. 409 if ended.

    Pausing a job that is paused or pausing has no effect.
    """
    job = locked(job_id)
    if job.is_final or job.is_cancelling:
        state = "being cancelled" if job.is_cancelling else job.status
        raise refusals.NOT_OPEN.refusal(status=state)
    if job.status == lifecycle.PAUSED or job.pause_requested_at is not None:
        return job
    job.pause_requested_at, job.pause_reason = timezone.now(), reason
    job.save(update_fields=["pause_requested_at", "pause_reason", "updated_at"])
    if job.status == lifecycle.QUEUED:
        pause_now(job, "before its run started", by=by)
    note_asked(job, "pause", by=by)
    wake_reconciler()
    return job


@transaction.atomic
def resume_job(
    *, job_id: UUID, by: str, max_cost: Decimal | None = None
) -> TrainingJob:
    """Requeue a paused job from its last checkpoint, with a new cost cap if given.

    Raises Refusal: 409 if it is not paused or the owner has too many queued jobs, 402
    if its cap is used up or the monthly budget does not cover the new one.
    """
    job = locked(job_id)
    if job.status != lifecycle.PAUSED and not job.is_pausing:
        raise refusals.NOT_PAUSED.refusal(status=job.status)
    if max_cost is not None:
        require_budget(owner=job.user, needed_usd=max_cost, besides=job)
        job.max_cost = max_cost
    _require_unspent(job)
    job.pause_requested_at, job.pause_reason = None, ""
    fields = ["max_cost", "budget_noticed_percent", "pause_requested_at"]
    job.save(update_fields=[*fields, "pause_reason", "updated_at"])
    if job.status == lifecycle.PAUSED:
        _queue_again(job, "resumed", by=by)
    else:
        note_asked(job, "continue instead of pausing", by=by)
    return job


def _require_unspent(job: TrainingJob) -> None:
    """Raises Refusal (402) if the cost cap leaves nothing to spend."""
    if job.max_cost is None:
        return
    reached = reach_usd(job)
    percent = spent_percent(spent_usd=reached, max_cost=job.max_cost)
    if percent == 100:
        numbers = {"max_cost": rounded(job.max_cost), "reached_usd": rounded(reached)}
        raise refusals.CAP_REACHED.refusal(details=numbers, **numbers)
    job.budget_noticed_percent = percent


def _queue_again(job: TrainingJob, why: str, *, by: str) -> None:
    require_room(owner=job.user, kind="queued_jobs")
    move_to(
        job,
        lifecycle.QUEUED,
        why,
        by=by,
        current_stage="queued",
        status_note="",
        retry_at=None,
    )
    wake_reconciler()


@transaction.atomic
def retry_job(
    *, job_id: UUID, by: str, apply_suggestion: bool = False
) -> tuple[TrainingJob, bool]:
    """Start an ended job again as a new one; returns whether a new one was created.

    A job waiting between two attempts starts the next one now instead. With
    `apply_suggestion` the new job has the changes suggested after the failure.
    Raises Refusal: 409 if the job is open or has no suggestion, 402 over budget.
    """
    job = locked(job_id)
    if job.status == lifecycle.QUEUED and job.retry_at is not None:
        job.retry_at = timezone.now()
        job.save(update_fields=["retry_at", "updated_at"])
        wake_reconciler()
        return job, False
    _require_ended(job, "can be started again")
    config = again(job)
    if apply_suggestion:
        config = suggested(config, job)
    asked = checked(config)
    new, _ = create_job(owner=job.user, dataset=job.dataset, asked=asked, by=by)
    _link(new, job, step=0, by=by)
    return new, True


def again(job: TrainingJob) -> JobConfig:
    """The job's configuration for a new job; a `high` priority is not carried over."""
    priority = min(job.priority, NORMAL)
    return replace(config_of(job), quoted_cost=None, priority=priority)


def suggested(config: JobConfig, job: TrainingJob) -> JobConfig:
    """The configuration with the changes suggested after the failure."""
    changes: dict[str, Any] = dict((job.suggestion or {}).get("changes") or {})
    if not changes:
        raise refusals.NO_SUGGESTION.refusal()
    base_model = changes.pop("base_model", config.base_model)
    values = config.hyperparameters.as_dict() | changes
    return replace(config, base_model=base_model, hyperparameters=fill_defaults(values))


@transaction.atomic
def continue_job(
    *, job_id: UUID, by: str, step: int | None = None
) -> tuple[TrainingJob, bool]:
    """Continue from a checkpoint, by default the last one.

    A paused job resumes and discards everything after the checkpoint; an ended one is
    continued by a new job that starts with the old one's steps up to there.
    Raises Refusal: 404 if there is no such checkpoint, 409 if the job is running.
    """
    job = locked(job_id)
    checkpoint = _checkpoint(job, step)
    if job.status == lifecycle.PAUSED:
        _require_unspent(job)
        _go_back(job, checkpoint, by=by)
        return job, False
    _require_ended(job, "can be continued. Pause it first")
    asked = checked(again(job))
    new, _ = create_job(owner=job.user, dataset=job.dataset, asked=asked, by=by)
    _link(new, job, step=checkpoint.step, by=by)
    _inherit(new, job, checkpoint)
    return new, True


def _checkpoint(job: TrainingJob, step: int | None) -> Checkpoint:
    kept = job.checkpoints.kept().order_by("-step")
    found = kept.first() if step is None else kept.filter(step=step).first()
    if found is None:
        steps = ", ".join(str(c.step) for c in reversed(kept)) or "none"
        of_step = "" if step is None else f" at step {step}"
        raise refusals.NO_CHECKPOINT.refusal(of_step=of_step, steps=steps)
    return found


def _go_back(job: TrainingJob, checkpoint: Checkpoint, *, by: str) -> None:
    job.metrics.filter(step__gt=checkpoint.step).delete()
    job.checkpoints.filter(step__gt=checkpoint.step).delete()
    job.pause_reason = ""
    job.save(update_fields=["pause_reason", "budget_noticed_percent", "updated_at"])
    _queue_again(job, f"continues from step {checkpoint.step}", by=by)


def _link(new: TrainingJob, old: TrainingJob, *, step: int, by: str) -> None:
    new.continued_from, new.start_step = old, step
    new.save(update_fields=["continued_from", "start_step", "updated_at"])
    how = f"continues it from step {step}" if step else "starts it again"
    record_status(old, old.status, f"a new job {how}: {new.name}", by=by)


def _inherit(new: TrainingJob, old: TrainingJob, checkpoint: Checkpoint) -> None:
    """Copy the old job's steps and checkpoint to the new one, and its base's commit."""
    points = list(old.metrics.filter(step__lte=checkpoint.step))
    for point in points:
        point.pk, point.job = None, new
    MetricPoint.objects.bulk_create(points, batch_size=2000)
    checkpoint.pk, checkpoint.job = None, new
    checkpoint.save(force_insert=True)
    new.current_step = checkpoint.step
    new.progress = checkpoint.step / max(new.total_steps, 1)
    new.base_commit = old.base_commit
    new.save(update_fields=["current_step", "progress", "base_commit", "updated_at"])


@transaction.atomic
def set_priority(
    *, job_id: UUID, priority: int, by: str, is_operator: bool = False
) -> TrainingJob:
    """Change a job's priority; only operators can set `high`. 409 if ended."""
    require_priority(priority, is_operator=is_operator)
    job = locked(job_id)
    if job.is_final:
        raise refusals.ALREADY_ENDED.refusal(status=job.status)
    if job.priority != priority:
        before = priority_name(job.priority)
        job.priority = priority
        job.save(update_fields=["priority", "updated_at"])
        words = f"priority {priority_name(priority)} instead of {before}"
        record_status(job, job.status, words, by=by)
        wake_reconciler()
    return job


def require_priority(priority: int, *, is_operator: bool) -> None:
    """Raises Refusal (400): users cannot put their own jobs ahead of everyone's."""
    if priority == HIGH and not is_operator:
        words = "Received 'high', which only operators can set; choose low or normal."
        raise Refusal(words, code="invalid", details={"priority": [words]})


def _require_ended(job: TrainingJob, what: str) -> None:
    if not job.is_final:
        raise refusals.UNDER_WAY.refusal(status=job.status, what=what)
