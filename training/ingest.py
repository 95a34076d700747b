"""Taking in what a trainer reports: every event once, in order, from the newest run."""

import math
from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from lora_pipeline.envelope import Refusal
from notifications.services import notify
from training.domain import lifecycle
from training.domain.estimate import rounded
from training.models import (
    Checkpoint,
    JobEvent,
    MetricPoint,
    RunAttempt,
    TrainingJob,
)
from training.transitions import (
    close_job,
    compute_usd,
    locked,
    move_to,
    record_log,
    wake_reconciler,
)

TRAINER = "trainer"
METRICS = (
    "loss",
    "learning_rate",
    "grad_norm",
    "tokens_seen",
    "tokens_per_second",
    "step_seconds",
)
USERS_FAULTS = frozenset({"bad_data", "out_of_memory", "model_not_found", "disk_full"})
RECENT_STEPS = 20
Event = dict[str, Any]


@transaction.atomic
def take_events(attempt_id: UUID, events: list[Event]) -> dict[str, Any]:
    """Apply the events that are new; says how far they were taken, and whether to stop.

    Raises Refusal 410 when the attempt has ended, 409 when a number is missing.
    """
    attempt = RunAttempt.objects.select_for_update(of=("self",)).get(pk=attempt_id)
    if attempt.ended_at is not None:
        words = "This attempt has ended: stop, and report nothing more."
        raise Refusal(words, status_code=410, code="run_ended")
    job = locked(attempt.job_id)
    _count_time(job, attempt)
    fresh = _fresh(attempt, events)
    store_points(job, attempt, fresh)
    for event in fresh:
        if attempt.ended_at is not None:
            break
        APPLY.get(event["type"], _ignore)(job, attempt, event)
    attempt.save()
    _save_progress(job)
    return {
        "cancel": job.cancel_requested_at is not None,
        "accepted_through": attempt.last_sequence,
    }


def _fresh(attempt: RunAttempt, events: list[Event]) -> list[Event]:
    """The events not yet taken, without a gap before them."""
    fresh = [e for e in events if e["sequence"] > attempt.last_sequence]
    expected = list(
        range(attempt.last_sequence + 1, attempt.last_sequence + 1 + len(fresh))
    )
    if [event["sequence"] for event in fresh] != expected:
        words = f"The next event must have the number {attempt.last_sequence + 1}."
        details = {"expected": attempt.last_sequence + 1}
        raise Refusal(words, status_code=422, code="gap", details=details)
    if fresh:
        attempt.last_sequence = fresh[-1]["sequence"]
    return fresh


def _count_time(job: TrainingJob, attempt: RunAttempt) -> None:
    """Running time goes on from event to event, by our own clock."""
    now = timezone.now()
    since = attempt.last_event_at
    if since is not None and attempt.started_at is not None:
        job.running_seconds += max((now - since).total_seconds(), 0.0)
    attempt.last_event_at = now


def store_points(job: TrainingJob, attempt: RunAttempt, events: list[Event]) -> None:
    """Metrics and evaluations as one row a step; a repeated one replaces itself."""
    metrics = {
        e["step"]: _point(job, attempt, e, **_measured(e))
        for e in events
        if e["type"] == "metrics"
    }
    evaluations = {
        e["step"]: _point(job, attempt, e, validation_loss=finite(e.get("loss")))
        for e in events
        if e["type"] == "eval"
    }
    _upsert(metrics, [*METRICS, "epoch", "at", "attempt"])
    _upsert(evaluations, ["validation_loss"])


def _measured(event: Event) -> dict[str, float | None]:
    return {name: finite(event.get(name)) for name in METRICS}


def _point(
    job: TrainingJob, attempt: RunAttempt, event: Event, **values: Any
) -> MetricPoint:
    epoch = finite(event.get("epoch")) or 0.0
    return MetricPoint(
        job=job,
        attempt=attempt,
        step=int(event["step"]),
        epoch=epoch,
        at=event["at"],
        **values,
    )


def _upsert(points: dict[int, MetricPoint], columns: list[str]) -> None:
    if points:
        MetricPoint.objects.bulk_create(
            points.values(),
            update_conflicts=True,
            unique_fields=["job", "step"],
            update_fields=columns,
        )


def finite(value: Any) -> float | None:
    """A number that can be stored and drawn; None for NaN, infinity and absence."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) else None


# -- One function per type of event --------------------------------------------


def _ignore(job: TrainingJob, attempt: RunAttempt, event: Event) -> None:
    words = f"The trainer sent an event of an unknown type: {event['type']}."
    record_log(job, words, level="warning", attempt=attempt)


def _started(job: TrainingJob, attempt: RunAttempt, event: Event) -> None:
    attempt.started_at = timezone.now()
    names = ("pid", "hostname", "versions", "device", "world_size")
    attempt.facts = {name: event.get(name) for name in names}
    if job.started_at is None:
        job.started_at = attempt.started_at


def _steps(job: TrainingJob, attempt: RunAttempt, event: Event) -> None:
    """The trainer's own count, where it had to leave sequences out."""
    total = int(finite(event.get("total_steps")) or 0)
    if total > 0 and total != job.total_steps:
        words = f"{total} steps instead of {job.total_steps}: sequences were left out"
        record_log(job, words, level="warning", attempt=attempt)
        job.total_steps = total
        job.save(update_fields=["total_steps", "updated_at"])


def _stage(job: TrainingJob, attempt: RunAttempt, event: Event) -> None:
    stage = event.get("stage")
    if stage not in lifecycle.STAGES or stage == job.current_stage:
        return
    job.current_stage = stage
    record_log(job, stage.replace("_", " "), attempt=attempt, kind=JobEvent.Kind.STAGE)
    if stage == "training" and job.status == lifecycle.INITIALIZING:
        move_to(job, lifecycle.RUNNING, "the first step began", by=TRAINER)


def _metrics(job: TrainingJob, attempt: RunAttempt, event: Event) -> None:
    job.current_step = int(event["step"])
    job.current_epoch = finite(event.get("epoch")) or 0.0
    job.progress = min(job.current_step / max(job.total_steps, 1), 1.0)
    job.current_metrics |= _measured(event)


def _evaluation(job: TrainingJob, attempt: RunAttempt, event: Event) -> None:
    job.current_metrics |= {"validation_loss": finite(event.get("loss"))}


def _checkpoint(job: TrainingJob, attempt: RunAttempt, event: Event) -> None:
    Checkpoint.objects.update_or_create(
        job=job,
        step=int(event["step"]),
        defaults={
            "attempt": attempt,
            "name": str(event["name"])[:100],
            "size_bytes": int(event.get("size_bytes") or 0),
        },
    )
    record_log(job, f"checkpoint saved at step {event['step']}", attempt=attempt)


def _log(job: TrainingJob, attempt: RunAttempt, event: Event) -> None:
    level = str(event.get("level", "info"))[:10]
    record_log(job, str(event.get("message", ""))[:2000], level=level, attempt=attempt)


def _completed(job: TrainingJob, attempt: RunAttempt, event: Event) -> None:
    if job.artifact_id is None:
        words = "A run is complete only after its adapter was sent."
        raise Refusal(words, status_code=409, code="artifact_missing")
    end_attempt(attempt, "completed")
    job.progress = 1.0
    job.current_stage = "completed"
    _save_progress(job)
    close_job(job, lifecycle.COMPLETED, "the adapter is stored", by=TRAINER)
    _tell(job, "job_completed", "Training Completed", "its adapter can be downloaded")
    wake_reconciler()


def _cancelled(job: TrainingJob, attempt: RunAttempt, event: Event) -> None:
    end_attempt(attempt, "cancelled")
    _save_progress(job)
    if job.cancel_requested_at is None:
        why = "the trainer was told to stop from outside"
        requeue(job, why, by=TRAINER)
    else:
        why = f"stopped after step {event.get('step')}"
        close_job(job, lifecycle.CANCELLED, why, by=TRAINER)
    wake_reconciler()


def _failed(job: TrainingJob, attempt: RunAttempt, event: Event) -> None:
    kind = str(event.get("kind", "trainer_error"))[:30]
    message = str(event.get("message", "The trainer failed."))[:2000]
    stack = str(event.get("stack", ""))[-20_000:]
    end_attempt(attempt, "failed", kind)
    _save_progress(job)
    if kind in USERS_FAULTS:
        fail_job(job, message, stack, by=TRAINER)
    else:
        retry_or_fail(job, attempt, message, stack, by=TRAINER)
    wake_reconciler()


APPLY: dict[str, Callable[[TrainingJob, RunAttempt, Event], None]] = {
    "started": _started,
    "steps": _steps,
    "stage": _stage,
    "metrics": _metrics,
    "eval": _evaluation,
    "checkpoint": _checkpoint,
    "log": _log,
    "completed": _completed,
    "cancelled": _cancelled,
    "failed": _failed,
}


# -- Ends and new beginnings, shared with the reconciler -----------------------


def end_attempt(attempt: RunAttempt, outcome: str, failure_kind: str = "") -> None:
    """The token dies here: nothing that this attempt reports later is taken."""
    attempt.ended_at = timezone.now()
    attempt.outcome = outcome
    attempt.failure_kind = failure_kind
    attempt.save()


def fail_job(job: TrainingJob, message: str, stack: str, *, by: str) -> None:
    """End a job in failure, with what its owner should know."""
    close_job(
        job,
        lifecycle.FAILED,
        message[:300],
        by=by,
        error_message=message,
        error_stack=stack,
    )
    _tell(job, "job_failed", "Training Failed", message, priority="high")


def retry_or_fail(
    job: TrainingJob, attempt: RunAttempt, message: str, stack: str, *, by: str
) -> None:
    """Queue the job again with a growing pause, or fail it after the last attempt."""
    if attempt.number >= settings.RUN_MAX_ATTEMPTS:
        fail_job(
            job, f"{message} (attempt {attempt.number} was the last)", stack, by=by
        )
        return
    pause = timedelta(seconds=settings.RUN_RETRY_SECONDS * 2 ** (attempt.number - 1))
    job.retry_count += 1
    requeue(job, f"{message} Trying again.", by=by, retry_at=timezone.now() + pause)


def requeue(job: TrainingJob, why: str, *, by: str, **fields: Any) -> None:
    """Back to the queue, to resume from the last checkpoint that was reported."""
    job.save(update_fields=["retry_count", "updated_at"])
    move_to(job, lifecycle.QUEUED, why[:300], by=by, current_stage="queued", **fields)


def _tell(
    job: TrainingJob, type: str, title: str, words: str, priority: str = "medium"
) -> None:
    notify(
        user_id=job.user_id,
        type=type,
        title=title,
        message=f"{job.name}: {words}",
        priority=priority,
        action_url=job.get_absolute_url(),
        metadata={"job_id": str(job.pk)},
    )


def _save_progress(job: TrainingJob) -> None:
    if not job.is_final:
        job.current_cost = rounded(compute_usd(job))
        job.estimated_completion_at = _expected_end(job)
    job.save(
        update_fields=[
            "progress",
            "current_step",
            "current_epoch",
            "current_stage",
            "current_metrics",
            "current_cost",
            "started_at",
            "running_seconds",
            "estimated_completion_at",
            "updated_at",
        ]
    )


def _expected_end(job: TrainingJob) -> Any:
    """Now plus the steps that are left at the recent pace; None before it is known.

    The first step of a run takes many times a later one and is left out.
    """
    recent = job.metrics.filter(
        step__gt=max(job.current_step - RECENT_STEPS, 1),
        step_seconds__isnull=False,
    ).values_list("step_seconds", flat=True)
    seconds = sorted(value for value in recent if value)
    if not seconds or job.status != lifecycle.RUNNING:
        return None
    left = max(job.total_steps - job.current_step, 0)
    return timezone.now() + timedelta(seconds=seconds[len(seconds) // 2] * left)
