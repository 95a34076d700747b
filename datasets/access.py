"""Whose dataset it is: the one 404 for all that is not the user's."""

from typing import Any

from rest_framework.exceptions import NotFound
from rest_framework.request import Request

from datasets.models import Dataset


def own_dataset(request: Request, dataset_id: Any) -> Dataset:
    """The caller's dataset; unknown, deleted and foreign ones are the same 404."""
    own = Dataset.objects.visible_to(request.user)  # type: ignore[arg-type]
    if (dataset := own.find(dataset_id)) is None:
        raise NotFound(UNKNOWN_DATASET)
    return dataset


UNKNOWN_DATASET = "There is no such dataset among yours."
