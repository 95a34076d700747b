"""Every read of datasets."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import models
from django.db.models.functions import Coalesce

if TYPE_CHECKING:
    # DatasetStatistics is named only inside QuerySet["..."], where ruff does not look.
    from datasets.models import Dataset, DatasetStatistics
    from lora_pipeline.models import User


class DatasetQuerySet(models.QuerySet["Dataset"]):
    """Reads shared by pages, API and admin."""

    def visible_to(self, user: "User") -> "DatasetQuerySet":
        """The user's own datasets that were not deleted."""
        return self.filter(user=user, deleted_at=None)

    def listed(self) -> "DatasetQuerySet":
        """Without the columns that lists do not show and that may be large."""
        return self.defer(
            "validation_errors", "validation_warnings", "sample_data", "label_starts"
        )

    def deleted_of(self, user: "User") -> "DatasetQuerySet":
        """The user's deleted datasets, which can be brought back."""
        mine = self.filter(user=user, files_removed_at=None)
        return mine.exclude(deleted_at=None)

    def same_content(self, dataset: "Dataset") -> "DatasetQuerySet":
        """The owner's other datasets made of the same bytes."""
        return self.filter(
            user=dataset.user_id, sha256=dataset.sha256, deleted_at=None
        ).exclude(pk=dataset.pk)

    def trainable(self) -> "DatasetQuerySet":
        """Ready to start a job from."""
        return self.filter(status="ready", training_ready=True)

    def with_lengths(self, base_model: str, default: str) -> "DatasetQuerySet":
        """Each with `measured_lengths`: pairs of length and count in the train split.

        By the base model's tokenizer, else by the default model's; None before either
        was measured. Costs no query of its own.
        """
        from datasets.models import DatasetStatistics

        own = DatasetStatistics.objects.filter(dataset=models.OuterRef("pk"))
        asked, other = (
            models.Subquery(own.filter(base_model=name).values("lengths"))
            for name in (base_model, default)
        )
        return self.annotate(measured_lengths=Coalesce(asked, other))

    def find(self, dataset_id: UUID | str) -> "Dataset | None":
        """The dataset with this id, or None."""
        return self.filter(pk=dataset_id).first()


class DatasetStatisticsQuerySet(models.QuerySet["DatasetStatistics"]):
    """Reads of statistics."""

    def of_model(self, base_model: str) -> "DatasetStatistics | None":
        """The row of a base model, or None when it was not measured."""
        return self.filter(base_model=base_model).first()
