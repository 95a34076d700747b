"""Stores validation results."""

from typing import Any

from django.db import transaction

from datasets.checking.notices import tell_result
from datasets.models import Dataset


@transaction.atomic
def keep_result(dataset: Dataset, **fields: Any) -> None:
    """Store the results of a validation."""
    for name, value in fields.items():
        setattr(dataset, name, value)
    dataset.save(update_fields=[*fields, "updated_at"])
    if "status" in fields:
        tell_result(dataset)
