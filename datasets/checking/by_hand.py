"""The format that a dataset's owner made by hand."""

from datasets.domain.formats.declared import Format, mapped
from datasets.models import Dataset


def format_by_hand(dataset: Dataset) -> Format | None:
    """The format of the dataset's mapping; None where it is detected."""
    return mapped(dataset.mapping) if dataset.mapping else None
