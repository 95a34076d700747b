"""Ownership of datasets: one 404 for anything that is not the user's."""

from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from datasets.models import Dataset


def own_dataset(request: Request, dataset_id: Any) -> Dataset:
    """The caller's dataset. The same 404 for unknown, deleted and others' datasets."""
    own = Dataset.objects.visible_to(request.user)  # type: ignore[arg-type]
    if (dataset := own.find(dataset_id)) is None:
        raise NotFound(UNKNOWN_DATASET)
    return dataset


UNKNOWN_DATASET = "Dataset not found."
