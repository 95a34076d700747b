"""Every read of datasets."""

from typing import TYPE_CHECKING
from uuid import UUID

from django.db import models

if TYPE_CHECKING:
    from datasets.models import Dataset
    from lora_pipeline.models import User


class DatasetQuerySet(models.QuerySet["Dataset"]):
    """Reads shared by pages, API and admin."""

    def visible_to(self, user: "User") -> "DatasetQuerySet":
        """The user's own datasets that were not deleted."""
        return self.filter(user=user, deleted_at=None)

    def trainable(self) -> "DatasetQuerySet":
        """Ready to start a job from."""
        return self.filter(status="ready", training_ready=True)

    def find(self, dataset_id: UUID | str) -> "Dataset | None":
        """The dataset with this id, or None."""
        return self.filter(pk=dataset_id).first()
