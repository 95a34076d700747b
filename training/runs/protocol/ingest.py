"""Applies trainer events: each once, in order, from the newest attempt only."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction

from lora_pipeline.errors import Refusal
from training.jobs.transitions import record_log
from training.models import RunAttempt, TrainingJob
from training.runs import clock
from training.runs.cost_cap import watch_cap
from training.runs.protocol.applying import APPLY, JOB_FIELDS, METRICS, measured, reckon
from training.runs.protocol.events import Evaluation, Event, Metrics, number
from training.runs.protocol.fast_sql import (
    Row,
    lock_attempt,
    peek_attempt,
    write_points,
    write_progress,
)

ATTEMPT_FIELDS = (
    "last_sequence",
    "last_event_at",
    "last_progress_at",
    "started_at",
    "running_seconds",
    "step_seconds",
    "facts",
    "clocks",
)
Measuring = TypeVar("Measuring", Metrics, Evaluation)


@transaction.atomic
def take_events(
    attempt_id: UUID,
    events: Sequence[Event],
    *,
    token_hash: str | None = None,
    told_seconds: float | None = None,
) -> dict[str, Any]:
    """Apply new events; returns the last sequence applied and whether to stop.

    `told_seconds`: how long the trainer has been running, by its monotonic clock.

    Raises Refusal 410 if the attempt has ended, 422 if a sequence number is missing,
    401 for an unknown `token_hash`, 404 for that of another attempt.
    """
    attempt = open_attempt(attempt_id, token_hash=token_hash)
    job = attempt.job
    _count_time(job, attempt, told_seconds)
    fresh = _fresh(attempt, events)
    store_points(job, attempt, fresh)
    for event in fresh:
        if attempt.ended_at is not None:
            break
        APPLY[type(event)](job, attempt, event)
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
    return _checked(attempt, attempt_id)


def require_open(attempt_id: UUID, token_hash: str) -> None:
    """Look who asks before a byte of the body is read, as the operator from then on.

    Raises Refusal as `open_attempt` does, which looks again once the events are there.
    """
    _checked(peek_attempt(token_hash), attempt_id)


def _checked(attempt: RunAttempt | None, attempt_id: UUID) -> RunAttempt:
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


def _fresh(attempt: RunAttempt, events: Sequence[Event]) -> list[Event]:
    """Events not yet applied; raises if there is a gap before them."""
    fresh = [e for e in events if e.sequence > attempt.last_sequence]
    first = attempt.last_sequence + 1
    if [e.sequence for e in fresh] != list(range(first, first + len(fresh))):
        words = f"The next event must have sequence number {first}."
        raise Refusal(words, status_code=422, code="gap", details={"expected": first})
    if fresh:
        attempt.last_sequence = fresh[-1].sequence
        attempt.last_progress_at = attempt.last_event_at
        attempt.clocks["progress"] = attempt.clocks["at"]
        attempt.clocks["told_progress"] = attempt.clocks["told"]
    return fresh


def _count_time(job: TrainingJob, attempt: RunAttempt, told: float | None) -> None:
    """Add the time since the last report, by the trainer's clock and ours."""
    moment, since = clock.now(), attempt.last_event_at
    if since is None or attempt.started_at is None:
        attempt.clocks = clock.begun(attempt.clocks, moment, told)
    else:
        passed = clock.passed(attempt.clocks, since, moment, told)
        attempt.running_seconds += passed.seconds
        job.running_seconds += passed.seconds
        attempt.clocks = passed.clocks
        if passed.moved:
            words = (
                f"the console's clock was moved by {passed.moved:+.0f} s: not charged"
            )
            record_log(job, words, level="warning", attempt=attempt)
    attempt.last_event_at = moment.wall


def store_points(
    job: TrainingJob, attempt: RunAttempt, events: Sequence[Event]
) -> None:
    """Store metrics and evaluations, one row per step; repeats overwrite."""
    metrics = [e for e in events if isinstance(e, Metrics)]
    evaluations = [e for e in events if isinstance(e, Evaluation)]
    again = ("attempt_id", "epoch", "at", *METRICS)
    write_points(job, attempt, _rows(metrics, measured), replaced=again)
    rows = _rows(evaluations, lambda event: {"validation_loss": number(event.loss)})
    write_points(job, attempt, rows, replaced=("validation_loss",))


def _rows(
    events: list[Measuring], values_of: Callable[[Measuring], dict[str, Any]]
) -> list[Row]:
    """One row per step, from its last event."""
    by_step = {event.step: event for event in events}
    return [
        {"step": step, "at": e.at, "epoch": e.epoch or 0.0} | values_of(e)
        for step, e in by_step.items()
    ]
