"""An adapter's lineage: everything that determined it, frozen at creation."""

from typing import Any

from django.db.models import F, Max

from lora_pipeline.models import User
from training.models import Adapter, MetricPoint, RunAttempt, TrainingJob
from training.models.runs import MetricPointQuerySet


def facts_of(attempt: RunAttempt) -> dict[str, Any]:
    """The lineage and loss fields of a new adapter."""
    job = attempt.job
    return {"lineage": lineage_of(job, attempt), **_losses(job)}


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
        "attempts": attempt.number,
        "versions": attempt.facts.get("versions") or {},
    }


def _losses(job: TrainingJob) -> dict[str, float | None]:
    """The last training loss, the last and the lowest validation loss."""
    known = _finite(job, "validation_loss")
    last = known.order_by("-step").values_list("validation_loss", flat=True).first()
    best = known.order_by(F("validation_loss").asc(), "step").first()
    trained = _finite(job, "loss").order_by("-step").first()
    return {
        "training_loss": trained.loss if trained else None,
        "validation_loss": last,
        "best_validation_loss": best.validation_loss if best else None,
    }


def _finite(job: TrainingJob, name: str) -> MetricPointQuerySet:
    return MetricPoint.objects.filter(job=job).with_finite(name)


def next_version(user: User, name: str) -> int:
    """One more than the newest adapter of that name, deleted ones included.

    Holds the user's row until the transaction ends, so that no two get the same.
    """
    User.objects.select_for_update().get(pk=user.pk)
    same = Adapter.objects.filter(user=user, name=name)
    return (same.aggregate(newest=Max("version"))["newest"] or 0) + 1
