"""Whose dataset it is."""

from uuid import UUID

from datasets.models import Dataset
from lora_pipeline.errors import NotYours
from lora_pipeline.models import User

KIND = "dataset"


def own_dataset(user: User, dataset_id: UUID) -> Dataset:
    """The user's dataset. Raises NotYours."""
    if (dataset := Dataset.objects.visible_to(user).find(dataset_id)) is None:
        raise NotYours(KIND)
    return dataset


def own_deleted_dataset(user: User, dataset_id: UUID) -> Dataset:
    """A dataset that the user deleted and can bring back. Raises NotYours."""
    if (dataset := Dataset.objects.deleted_of(user).find(dataset_id)) is None:
        raise NotYours(KIND)
    return dataset
