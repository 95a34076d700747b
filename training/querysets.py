"""Every read of jobs and what hangs off them."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import models
from django.db.models import Exists, F, Max, OuterRef

from training.domain import lifecycle

if TYPE_CHECKING:
    from lora_pipeline.models import User

    # Named only inside QuerySet["..."], where ruff does not look.
    from training.models import (
        Adapter,
        BaseModel,  # noqa: F401
        Checkpoint,  # noqa: F401
        GpuType,  # noqa: F401
        RunAttempt,  # noqa: F401
        TrainingJob,
    )


class TrainingJobQuerySet(models.QuerySet["TrainingJob"]):
    """Reads shared by pages, API, admin and reconciler."""

    def visible_to(self, user: "User") -> "TrainingJobQuerySet":
        """The user's own jobs that were not put away."""
        return self.filter(user=user, hidden_at=None)

    def with_dataset(self) -> "TrainingJobQuerySet":
        """One job, joined with its dataset and base model."""
        return self.select_related("dataset", "base_model")

    def listed(self) -> "TrainingJobQuerySet":
        """A page of jobs; their datasets come by a query of their own.

        A join would be made before the page is cut: 12 ms instead of 1 for a user with
        2 000 jobs, since the planner begins with the few datasets of that user.
        """
        return self.prefetch_related("dataset")

    def joined(self) -> "TrainingJobQuerySet":
        """A slice of jobs in its order, joined after it was cut."""
        rows = self.model.objects.filter(pk__in=self.values("pk")).with_dataset()
        order = self.query.order_by
        return rows.order_by(*order) if order else rows

    def open(self) -> "TrainingJobQuerySet":
        """Not ended."""
        return self.exclude(status__in=lifecycle.FINAL)

    def queued(self) -> "TrainingJobQuerySet":
        """Waiting; `training.queue` puts them in the order in which they start."""
        return self.filter(status=lifecycle.QUEUED).order_by(
            "-priority", "queued_at", "id"
        )

    def active(self) -> "TrainingJobQuerySet":
        """With a run under way."""
        return self.filter(status__in=lifecycle.ACTIVE)

    def find(self, job_id: UUID | str) -> "TrainingJob | None":
        """The job with this id, or None."""
        return self.filter(pk=job_id).first()


class RunAttemptQuerySet(models.QuerySet["RunAttempt"]):
    """Reads of run attempts."""

    def open(self) -> "RunAttemptQuerySet":
        return self.filter(ended_at=None)


class CheckpointQuerySet(models.QuerySet["Checkpoint"]):
    """Reads of checkpoints."""

    def kept(self) -> "CheckpointQuerySet":
        """Those whose files are still there."""
        return self.filter(freed_at=None)

    def newest_step(self) -> int:
        """The step that a run would go on from; 0 when there is none."""
        return int(self.kept().aggregate(step=Max("step"))["step"] or 0)


class AdapterQuerySet(models.QuerySet["Adapter"]):
    """Reads of adapters."""

    def visible_to(self, user: "User") -> "AdapterQuerySet":
        """The user's own adapters that were not deleted."""
        return self.filter(user=user, deleted_at=None)

    def with_job(self) -> "AdapterQuerySet":
        """Joined with the job that trained it, and with its export."""
        return self.select_related("job__base_model", "export")

    def find(self, adapter_id: UUID | str) -> "Adapter | None":
        """The adapter with this id, or None."""
        return self.filter(pk=adapter_id).first()


class GpuTypeQuerySet(models.QuerySet["GpuType"]):
    """Reads of the GPU catalogue."""

    def enabled(self) -> "GpuTypeQuerySet":
        return self.filter(enabled=True)

    def with_connection(self) -> "GpuTypeQuerySet":
        """Each with `connected`: whether a backend offers it; connected, fast first."""
        from training.models import GpuOffer

        offers = GpuOffer.objects.filter(gpu_type=OuterRef("pk"))
        known = self.annotate(connected=Exists(offers))
        by_speed = F("tokens_per_second").desc()
        return known.order_by("-connected", by_speed, "name")


class BaseModelQuerySet(models.QuerySet["BaseModel"]):
    """Reads of the base-model catalogue."""

    def enabled(self) -> "BaseModelQuerySet":
        return self.filter(enabled=True)
