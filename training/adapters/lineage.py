"""An adapter's lineage: everything that determined it, frozen at creation."""

from typing import Any

from django.db.models import F, Max

from lora_pipeline.models import User
from training.models import Adapter, MetricPoint, RunAttempt, TrainingJob


def facts_of(attempt: RunAttempt) -> dict[str, Any]:
    """The lineage and loss fields of a new adapter."""
    job = attempt.job
    return {"lineage": lineage_of(job, attempt), **_losses(job, attempt)}


def lineage_of(job: TrainingJob, attempt: RunAttempt) -> dict[str, Any]:
    """Job, data, base model, settings, seed and software."""
    dataset, model = job.dataset, job.base_model
    return {
        "job": {"id": str(job.pk), "name": job.name},
        "dataset": {
            "id": str(dataset.pk),
            "name": dataset.name,
            "sha256": dataset.sha256,
            "training_pairs": dataset.total_training_pairs,
        },
        "base_model": {
            "id": model.pk,
            "revision": job.base_revision,
            "sha256": model.sha256,
        },
        "hyperparameters": job.hyperparameters,
        "seed": job.seed,
        "gpu_config": job.gpu_config,
        "steps": job.total_steps,
        "delivered_step": attempt.facts.get("delivered_step"),
        "attempts": attempt.number,
        "versions": attempt.facts.get("versions") or {},
    }


def _losses(job: TrainingJob, attempt: RunAttempt) -> dict[str, float | None]:
    """The adapter's training and validation loss, and the lowest validation loss.

    The adapter is that of the run's last step, or of the one it says it delivers.
    """
    points = MetricPoint.objects.filter(job=job)
    if step := attempt.facts.get("delivered_step"):
        points = points.filter(step__lte=step)
    last = points.with_finite("validation_loss").order_by("-step").first()
    trained = points.with_finite("loss").order_by("-step").first()
    known = MetricPoint.objects.filter(job=job).with_finite("validation_loss")
    best = known.order_by(F("validation_loss").asc(), "step").first()
    return {
        "training_loss": trained.loss if trained else None,
        "validation_loss": last.validation_loss if last else None,
        "best_validation_loss": best.validation_loss if best else None,
    }


def next_version(user: User, name: str) -> int:
    """One more than the newest adapter of that name, deleted ones included.

    Holds the user's row until the transaction ends, so that no two get the same.
    """
    User.objects.select_for_update().get(pk=user.pk)
    same = Adapter.objects.filter(user=user, name=name)
    return (same.aggregate(newest=Max("version"))["newest"] or 0) + 1
