"""Applies trainer events: each once, in order, from the newest attempt only."""

import math
from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from lora_pipeline.errors import Refusal
from training.costs.charges import compute_usd
from training.domain import faults, lifecycle
from training.domain.estimator.estimate import rounded
from training.jobs import notices
from training.jobs.notices import tell
from training.jobs.transitions import move_to, record_log
from training.models import Checkpoint, JobEvent, RunAttempt, TrainingJob
from training.runs.cost_cap import watch_cap
from training.runs.forecast import expected_end, remaining_of
from training.runs.loss_watch import watch_loss
from training.runs.outcomes import attempt_completed, attempt_failed, attempt_stopped
from training.runs.protocol.fast_sql import (
    Row,
    lock_attempt,
    write_points,
    write_progress,
)

TRAINER = "trainer"
METRICS = (
    "loss",
    "learning_rate",
    "grad_norm",
    "tokens_seen",
    "tokens_per_second",
    "step_seconds",
    "gpu_use",
    "gpu_memory_bytes",
)
SMOOTHING = 0.1
ATTEMPT_FIELDS = (
    "last_sequence",
    "last_event_at",
    "last_progress_at",
    "started_at",
    "running_seconds",
    "step_seconds",
    "facts",
)
JOB_FIELDS = (
    "progress",
    "current_step",
    "current_epoch",
    "current_stage",
    "current_metrics",
    "current_cost",
    "budget_noticed_percent",
    "pause_requested_at",
    "pause_reason",
    "started_at",
    "running_seconds",
    "estimated_completion_at",
    "remaining",
    "updated_at",
)
Event = dict[str, Any]


@transaction.atomic
def take_events(
    attempt_id: UUID, events: list[Event], *, token_hash: str | None = None
) -> dict[str, Any]:
    """Apply new events; returns the last sequence applied and whether to stop.

    Raises Refusal 410 if the attempt has ended, 422 if a sequence number is missing,
    401 for an unknown `token_hash`, 404 for that of another attempt.
    """
    attempt = open_attempt(attempt_id, token_hash=token_hash)
    job = attempt.job
    _count_time(job, attempt)
    fresh = _fresh(attempt, events)
    store_points(job, attempt, fresh)
    for event in fresh:
        if attempt.ended_at is not None:
            break
        APPLY.get(event["type"], _ignore)(job, attempt, event)
    if attempt.ended_at is None:
        watch_cap(job)
        reckon(job, attempt)
        write_progress(job, JOB_FIELDS, attempt, ATTEMPT_FIELDS)
    return {
        "cancel": bool(job.stop_reason),
        "reason": job.stop_reason,
        "accepted_through": attempt.last_sequence,
    }


def open_attempt(attempt_id: UUID, *, token_hash: str | None = None) -> RunAttempt:
    """The attempt and its job, both locked until the transaction ends.

    With a token, authentication and locking are one query. Raises Refusal 410 if the
    attempt has ended, for example because a newer one started.
    """
    attempt = (
        lock_attempt("id", attempt_id)
        if token_hash is None
        else lock_attempt("token_hash", token_hash)
    )
    if attempt is None:
        words = "Unknown run token."
        raise Refusal(words, status_code=401, code="not_authenticated")
    if attempt.pk != attempt_id:
        words = "This token does not belong to this run."
        raise Refusal(words, status_code=404, code="not_found")
    if attempt.ended_at is not None:
        words = "This attempt has ended. Stop reporting."
        raise Refusal(words, status_code=410, code="run_ended")
    return attempt


def _fresh(attempt: RunAttempt, events: list[Event]) -> list[Event]:
    """Events not yet applied; raises if there is a gap before them."""
    fresh = [e for e in events if e["sequence"] > attempt.last_sequence]
    first = attempt.last_sequence + 1
    if [e["sequence"] for e in fresh] != list(range(first, first + len(fresh))):
        words = f"The next event must have sequence number {first}."
        raise Refusal(words, status_code=422, code="gap", details={"expected": first})
    if fresh:
        attempt.last_sequence = fresh[-1]["sequence"]
        attempt.last_progress_at = attempt.last_event_at
    return fresh


def _count_time(job: TrainingJob, attempt: RunAttempt) -> None:
    """Add the time since the last event, by our own clock."""
    now = timezone.now()
    since = attempt.last_event_at
    if since is not None and attempt.started_at is not None:
        seconds = max((now - since).total_seconds(), 0.0)
        attempt.running_seconds += seconds
        job.running_seconds += seconds
    attempt.last_event_at = now


def store_points(job: TrainingJob, attempt: RunAttempt, events: list[Event]) -> None:
    """Store metrics and evaluations, one row per step; repeats overwrite."""
    metrics = [e for e in events if e["type"] == "metrics"]
    evaluations = [e for e in events if e["type"] == "eval"]
    rows = _rows(metrics, _measured)
    again = ("attempt_id", "epoch", "at", *METRICS)
    write_points(job, attempt, rows, replaced=again)
    rows = _rows(evaluations, _evaluated)
    write_points(job, attempt, rows, replaced=("validation_loss",))


def _rows(
    events: list[Event], values_of: Callable[[Event], dict[str, Any]]
) -> list[Row]:
    """One row per step, from its last event."""
    by_step = {event["step"]: event for event in events}
    return [
        {"step": int(step), "at": e["at"], "epoch": finite(e.get("epoch")) or 0.0}
        | values_of(e)
        for step, e in by_step.items()
    ]


def _measured(event: Event) -> dict[str, float | None]:
    return {name: finite(event.get(name)) for name in METRICS}


def _evaluated(event: Event) -> dict[str, float | None]:
    return {"validation_loss": finite(event.get("loss"))}


def finite(value: Any) -> float | None:
    """A finite number; None for NaN, infinity and missing values."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return value if math.isfinite(value) else None


# -- One function per type of event --------------------------------------------


def _ignore(job: TrainingJob, attempt: RunAttempt, event: Event) -> None:
    words = f"The trainer sent an unknown event type: {event['type']}."
    record_log(job, words, level="warning", attempt=attempt)


def _started(job: TrainingJob, attempt: RunAttempt, event: Event) -> None:
    attempt.started_at = timezone.now()
    names = ("pid", "hostname", "versions", "device", "world_size")
    attempt.facts |= {name: event.get(name) for name in names}
    if job.started_at is None:
        job.started_at = attempt.started_at
        tell(job, notices.STARTED, "first attempt started")


def _facts(job: TrainingJob, attempt: RunAttempt, event: Event) -> None:
    """Facts reported by the run, such as the hash its ranks agree on."""
    attempt.facts |= event.get("facts") or {}


def _steps(job: TrainingJob, attempt: RunAttempt, event: Event) -> None:
    """Use the trainer's step count if it had to drop sequences."""
    total = int(finite(event.get("total_steps")) or 0)
    if total > 0 and total != job.total_steps:
        words = (
            f"{total} steps instead of {job.total_steps}: some sequences were left out"
        )
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
        words = "first step started"
        move_to(job, lifecycle.RUNNING, words, by=TRAINER, attempt=attempt)


def _metrics(job: TrainingJob, attempt: RunAttempt, event: Event) -> None:
    job.current_step = int(event["step"])
    job.current_epoch = finite(event.get("epoch")) or 0.0
    job.progress = min(job.current_step / max(job.total_steps, 1), 1.0)
    measured = _measured(event)
    job.current_metrics |= measured
    watch_loss(job, measured["loss"], job.current_step)
    _keep_pace(attempt, finite(event.get("step_seconds")), job.current_step)


def _keep_pace(attempt: RunAttempt, seconds: float | None, step: int) -> None:
    """Update the smoothed step time; the first step of an attempt is much slower and
    is ignored.
    """
    if seconds is None or step <= attempt.resumed_from_step + 1:
        return
    before = seconds if attempt.step_seconds is None else attempt.step_seconds
    attempt.step_seconds = before + SMOOTHING * (seconds - before)


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
            "freed_at": None,
        },
    )
    record_log(job, f"checkpoint saved at step {event['step']}", attempt=attempt)


def _freed(job: TrainingJob, attempt: RunAttempt, event: Event) -> None:
    """The trainer deleted older checkpoints after newer ones were recorded."""
    names = [str(name) for name in event.get("names") or ()]
    job.checkpoints.filter(name__in=names).update(freed_at=timezone.now())


def _log(job: TrainingJob, attempt: RunAttempt, event: Event) -> None:
    level = str(event.get("level", "info"))[:10]
    record_log(job, str(event.get("message", ""))[:2000], level=level, attempt=attempt)


def _completed(job: TrainingJob, attempt: RunAttempt, event: Event) -> None:
    if job.artifact_id is None:
        words = "A run can complete only after its adapter has been uploaded."
        raise Refusal(words, status_code=409, code="artifact_missing")
    save_progress(job, attempt)
    attempt_completed(job, attempt, by=TRAINER)


def _cancelled(job: TrainingJob, attempt: RunAttempt, event: Event) -> None:
    save_progress(job, attempt)
    attempt_stopped(job, attempt, event.get("step"), by=TRAINER)


def _failed(job: TrainingJob, attempt: RunAttempt, event: Event) -> None:
    kind = str(event.get("kind") or faults.TRAINER_ERROR)[:30]
    save_progress(job, attempt)
    if kind == faults.CHECKPOINT_LOST:
        lost = job.checkpoints.filter(step=attempt.resumed_from_step)
        lost.update(freed_at=timezone.now())
    attempt_failed(
        job,
        attempt,
        outcome="failed",
        kind=kind,
        message=str(event.get("message") or "The trainer failed.")[:2000],
        stack=str(event.get("stack") or "")[-20_000:],
        log_tail=str(event.get("log_tail") or "")[-4000:],
        by=TRAINER,
    )


APPLY: dict[str, Callable[[TrainingJob, RunAttempt, Event], None]] = {
    "started": _started,
    "steps": _steps,
    "stage": _stage,
    "metrics": _metrics,
    "eval": _evaluation,
    "checkpoint": _checkpoint,
    "freed": _freed,
    "facts": _facts,
    "log": _log,
    "completed": _completed,
    "cancelled": _cancelled,
    "failed": _failed,
}


# -- Progress ----------------------------------------------------------------


def save_progress(job: TrainingJob, attempt: RunAttempt) -> None:
    """Write what a batch of events changed on the job."""
    reckon(job, attempt)
    job.save(update_fields=JOB_FIELDS)


def reckon(job: TrainingJob, attempt: RunAttempt) -> None:
    """Update the cost so far and the forecast."""
    job.current_cost = rounded(compute_usd(job))
    job.remaining = remaining_of(job, attempt)
    job.estimated_completion_at = expected_end(job.remaining)
