"""A job's checkpoints: which can still be gone on from, and giving their room back."""

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
    """Those whose files are there, newest first, each with `is_needed`: why it cannot
    be freed, in a sentence; empty where it can.
    """
    found = list(job.checkpoints.kept().order_by("-step"))
    begun = set(continued_steps(job)) if found else set()
    for place, checkpoint in enumerate(found):
        needed = _why_needed(job, checkpoint, is_newest=place == 0, begun=begun)
        checkpoint.is_needed = needed  # type: ignore[attr-defined]
    return found


def continued_steps(job: TrainingJob) -> Iterable[int]:
    """Steps whose checkpoints other jobs are about to go on from."""
    waiting = job.continuations.filter(status__in=WAITING)
    return waiting.values_list("start_step", flat=True)


def _why_needed(
    job: TrainingJob, checkpoint: Checkpoint, *, is_newest: bool, begun: set[int]
) -> str:
    if job.is_active:
        return "A run is under way, which looks after its checkpoints itself."
    if is_newest and not job.is_final:
        return "The job goes on from it."
    return "Another job goes on from it." if checkpoint.step in begun else ""


@transaction.atomic
def free_checkpoint(*, job_id: UUID, step: int, by: str) -> Checkpoint:
    """Remove a checkpoint's files; the row says when.

    Raises Refusal: 404 without such a checkpoint, 409 while it is needed.
    """
    job = locked(job_id)
    kept = {checkpoint.step: checkpoint for checkpoint in kept_checkpoints(job)}
    if (checkpoint := kept.get(step)) is None:
        steps = ", ".join(str(step) for step in sorted(kept)) or "none"
        of_step = f" of step {step}"
        raise refusals.NO_CHECKPOINT.refusal(of_step=of_step, steps=steps)
    if needed := checkpoint.is_needed:  # type: ignore[attr-defined]
        raise refusals.CHECKPOINT_NEEDED.refusal(step=step, why=needed)
    checkpoint.freed_at = timezone.now()
    checkpoint.save(update_fields=["freed_at"])
    record_log(job, f"the checkpoint of step {step} was freed by {by}")
    transaction.on_commit(
        lambda: local.remove_checkpoint(job_id, checkpoint.name), robust=True
    )
    return checkpoint
