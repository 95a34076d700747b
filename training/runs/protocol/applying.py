"""What each kind of event changes: one function a kind."""

from collections.abc import Callable
from typing import Any

import msgspec
from django.utils import timezone

from lora_pipeline.errors import Refusal
from training.costs.charges import compute_usd
from training.domain import failures, lifecycle
from training.domain.estimator.estimate import rounded
from training.domain.estimator.remaining import WARM_UP_STEPS
from training.jobs import notices
from training.jobs.notices import tell
from training.jobs.transitions import move_to, record_log
from training.models import Checkpoint, JobEvent, RunAttempt, TrainingJob
from training.runs.forecast import expected_end, remaining_of
from training.runs.loss_watch import watch_loss
from training.runs.outcomes import attempt_completed, attempt_failed, attempt_stopped
from training.runs.protocol import events
from training.runs.protocol.events import Measure, finite, number

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


def measured(event: events.Metrics) -> dict[str, float | None]:
    """What a step measured, as it is stored: NaN as NaN."""
    return {name: number(getattr(event, name)) for name in METRICS}


def note_measures(job: TrainingJob, measures: dict[str, Measure]) -> None:
    """Keep the last values on the job. JSON has no NaN: such a value is null there, and
    `not_finite` says by its name what it was.
    """
    kept = job.current_metrics
    words = dict(kept.get("not_finite") or {})
    for name, measure in measures.items():
        kept[name] = finite(measure)
        words.pop(name, None)
        if isinstance(measure, str):
            words[name] = measure
    kept["not_finite"] = words


def _ignore(job: TrainingJob, attempt: RunAttempt, event: events.Unknown) -> None:
    words = f"The trainer sent an unknown event type: {event.kind}."
    record_log(job, words, level="warning", attempt=attempt)


def _started(job: TrainingJob, attempt: RunAttempt, event: events.Started) -> None:
    attempt.started_at = timezone.now()
    names = ("pid", "hostname", "versions", "device", "world_size")
    attempt.facts |= {name: getattr(event, name) for name in names}
    if job.started_at is None:
        job.started_at = attempt.started_at
        tell(job, notices.STARTED, "first attempt started")


def _facts(job: TrainingJob, attempt: RunAttempt, event: events.Facts) -> None:
    """What a run found out about itself, such as the hash that its ranks agree on."""
    attempt.facts |= msgspec.to_builtins(event.facts)
    if isinstance(event.facts.base_commit, str) and not job.base_commit:
        job.base_commit = event.facts.base_commit
        job.save(update_fields=["base_commit", "updated_at"])


def _steps(job: TrainingJob, attempt: RunAttempt, event: events.Steps) -> None:
    """The trainer's own count, where it had to leave sequences out."""
    total = event.total_steps
    if total > 0 and total != job.total_steps:
        words = (
            f"{total} steps instead of {job.total_steps}: some sequences were left out"
        )
        record_log(job, words, level="warning", attempt=attempt)
        job.total_steps = total
        job.save(update_fields=["total_steps", "updated_at"])


def _stage(job: TrainingJob, attempt: RunAttempt, event: events.Stage) -> None:
    stage = event.stage
    if stage not in lifecycle.STAGES or stage == job.current_stage:
        return
    job.current_stage = stage
    record_log(job, stage.replace("_", " "), attempt=attempt, kind=JobEvent.Kind.STAGE)
    if stage == "training" and job.status == lifecycle.INITIALIZING:
        words = "first step started"
        move_to(job, lifecycle.RUNNING, words, by=TRAINER, attempt=attempt)


def _metrics(job: TrainingJob, attempt: RunAttempt, event: events.Metrics) -> None:
    job.current_step = event.step
    job.current_epoch = event.epoch or 0.0
    job.progress = min(job.current_step / max(job.total_steps, 1), 1.0)
    note_measures(job, {name: getattr(event, name) for name in METRICS})
    if event.aux_loss is not None:
        note_measures(job, {"aux_loss": event.aux_loss})
    watch_loss(job, finite(event.loss), job.current_step)
    _keep_pace(attempt, event.step_seconds, job.current_step)


def _keep_pace(attempt: RunAttempt, seconds: float | None, step: int) -> None:
    """Update the smoothed step time; the steps of the warm-up are left out."""
    if not seconds or step <= attempt.resumed_from_step + WARM_UP_STEPS:
        return
    before = seconds if attempt.step_seconds is None else attempt.step_seconds
    attempt.step_seconds = before + SMOOTHING * (seconds - before)


def _evaluation(
    job: TrainingJob, attempt: RunAttempt, event: events.Evaluation
) -> None:
    note_measures(job, {"validation_loss": event.loss})


def _checkpoint(job: TrainingJob, attempt: RunAttempt, event: events.Saved) -> None:
    Checkpoint.objects.update_or_create(
        job=job,
        step=event.step,
        defaults={
            "attempt": attempt,
            "name": event.name,
            "size_bytes": event.size_bytes,
            "freed_at": None,
        },
    )
    record_log(job, f"checkpoint saved at step {event.step}", attempt=attempt)


def _freed(job: TrainingJob, attempt: RunAttempt, event: events.Freed) -> None:
    """The trainer removed older checkpoints, after newer ones were recorded here."""
    gone = job.checkpoints.filter(name__in=event.names)
    gone.update(freed_at=timezone.now())


def _log(job: TrainingJob, attempt: RunAttempt, event: events.Log) -> None:
    record_log(job, event.message[:2000], level=event.level, attempt=attempt)


def _completed(job: TrainingJob, attempt: RunAttempt, event: events.Completed) -> None:
    if job.artifact_id is None:
        words = "A run can complete only after its adapter has been uploaded."
        raise Refusal(words, status_code=409, code="artifact_missing")
    save_progress(job, attempt)
    attempt_completed(job, attempt, by=TRAINER)


def _cancelled(job: TrainingJob, attempt: RunAttempt, event: events.Cancelled) -> None:
    save_progress(job, attempt)
    attempt_stopped(job, attempt, event.step, by=TRAINER)


def _failed(job: TrainingJob, attempt: RunAttempt, event: events.Failed) -> None:
    kind = event.kind or failures.TRAINER_ERROR
    save_progress(job, attempt)
    if kind == failures.CHECKPOINT_LOST:
        lost = job.checkpoints.filter(step=attempt.resumed_from_step)
        lost.update(freed_at=timezone.now())
    attempt_failed(
        job,
        attempt,
        outcome="failed",
        kind=kind,
        message=(event.message or "The trainer failed.")[:2000],
        stack=event.stack[-20_000:],
        log_tail=event.log_tail[-4000:],
        by=TRAINER,
    )


APPLY: dict[type[events.Event], Callable[[TrainingJob, RunAttempt, Any], None]] = {
    events.Started: _started,
    events.Steps: _steps,
    events.Stage: _stage,
    events.Metrics: _metrics,
    events.Evaluation: _evaluation,
    events.Saved: _checkpoint,
    events.Freed: _freed,
    events.Facts: _facts,
    events.Log: _log,
    events.Completed: _completed,
    events.Cancelled: _cancelled,
    events.Failed: _failed,
    events.Unknown: _ignore,
}


def save_progress(job: TrainingJob, attempt: RunAttempt) -> None:
    """Write what a batch of events changed on the job."""
    reckon(job, attempt)
    job.save(update_fields=JOB_FIELDS)


def reckon(job: TrainingJob, attempt: RunAttempt) -> None:
    """What the job has cost so far, and what is still to come."""
    job.current_cost = rounded(compute_usd(job))
    job.remaining = remaining_of(job, attempt)
    job.estimated_completion_at = expected_end(job.remaining)
