"""A job's checkpoints: which can be resumed from, and deleting their files."""

from collections.abc import Iterable
from uuid import UUID

from django.db import transaction
from django.utils import timezone

from training.domain import lifecycle
from training.jobs import refusals
from training.jobs.transitions import locked, record_log
from training.launchers import local
from training.models import Checkpoint, TrainingJob

WAITING = (lifecycle.QUEUED, lifecycle.INITIALIZING)


def kept_checkpoints(job: TrainingJob) -> list[Checkpoint]:
    """Checkpoints with files, newest first, each with `is_needed`: why it cannot be
    deleted, or empty.
    """
    found = list(job.checkpoints.kept().order_by("-step"))
    begun = set(continued_steps(job)) if found else set()
    for place, checkpoint in enumerate(found):
        needed = _why_needed(job, checkpoint, is_newest=place == 0, begun=begun)
        checkpoint.is_needed = needed  # type: ignore[attr-defined]
    return found


def continued_steps(job: TrainingJob) -> Iterable[int]:
    """Steps whose checkpoints other jobs will resume from."""
    waiting = job.continuations.filter(status__in=WAITING)
    return waiting.values_list("start_step", flat=True)


def _why_needed(
    job: TrainingJob, checkpoint: Checkpoint, *, is_newest: bool, begun: set[int]
) -> str:
    if job.is_active:
        return "A run is in progress and manages its own checkpoints."
    if is_newest and not job.is_final:
        return "The job will resume from it."
    return "Another job will resume from it." if checkpoint.step in begun else ""


@transaction.atomic
def free_checkpoint(*, job_id: UUID, step: int, by: str) -> Checkpoint:
    """Delete a checkpoint's files; the row records when.

    Raises Refusal: 404 if there is no such checkpoint, 409 while it is in use.
    """
    job = locked(job_id)
    kept = {checkpoint.step: checkpoint for checkpoint in kept_checkpoints(job)}
    if (checkpoint := kept.get(step)) is None:
        steps = ", ".join(str(step) for step in sorted(kept)) or "none"
        of_step = f" at step {step}"
        raise refusals.NO_CHECKPOINT.refusal(of_step=of_step, steps=steps)
    if needed := checkpoint.is_needed:  # type: ignore[attr-defined]
        raise refusals.CHECKPOINT_NEEDED.refusal(step=step, why=needed)
    checkpoint.freed_at = timezone.now()
    checkpoint.save(update_fields=["freed_at"])
    record_log(job, f"checkpoint at step {step} deleted by {by}")
    transaction.on_commit(
        lambda: local.remove_checkpoint(job_id, checkpoint.name), robust=True
    )
    return checkpoint
