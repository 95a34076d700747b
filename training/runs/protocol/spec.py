"""The spec that a trainer gets for its run."""

from typing import Any

from django.conf import settings

from training.domain.method import LORA
from training.domain.schedule import checkpoint_interval
from training.models import RunAttempt, TrainingJob

DEFAULT_PLAN = {"method": LORA, "packing": False}


def run_spec(attempt: RunAttempt) -> dict[str, Any]:
    """Everything that determines the outcome of a run."""
    job = attempt.job
    per_epoch = job.total_steps // job.total_epochs
    interval = settings.CHECKPOINT_EVERY_STEPS or checkpoint_interval(
        total_steps=job.total_steps, steps_per_epoch=per_epoch
    )
    return {
        "run_id": str(attempt.pk),
        "job_id": str(job.pk),
        "attempt": attempt.number,
        "base_model": _base_model(job),
        "dataset": _dataset(job),
        "hyperparameters": job.hyperparameters,
        "plan": _plan(job),
        "gpu": job.gpu_config,
        "process_count": attempt.process_count,
        "total_steps": job.total_steps,
        "steps_per_epoch": per_epoch,
        "checkpoint_every_steps": interval,
        "resume_from": _resume_from(attempt),
        "expected_versions": {},
    }


def _plan(job: TrainingJob) -> dict[str, Any]:
    """The batch plan chosen at creation; None where the trainer decides."""
    names = ("method", "packing", "gradient_checkpointing", "micro_batch")
    chosen = job.plan or job.hyperparameters
    return {name: chosen.get(name, DEFAULT_PLAN.get(name)) for name in names}


def _base_model(job: TrainingJob) -> dict[str, Any]:
    model = job.base_model
    return {
        "id": model.pk,
        "source": model.source,
        "path": str(model.folder or ""),
        "revision": job.base_revision or None,
        "sha256": model.sha256 or None,
        "note": model.note,
        "remote_code": model.pk in settings.REMOTE_CODE_MODELS,
    }


def _dataset(job: TrainingJob) -> dict[str, Any]:
    dataset = job.dataset
    return {
        "name": dataset.name,
        "sha256": dataset.sha256,
        "train_pairs": dataset.total_training_pairs,
        "validation_pairs": dataset.total_validation_pairs,
    }


def _resume_from(attempt: RunAttempt) -> dict[str, Any] | None:
    kept = attempt.job.checkpoints.kept()
    found = kept.filter(step=attempt.resumed_from_step).first()
    return {"step": found.step, "name": found.name} if found else None
