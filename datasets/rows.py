"""Random access to the rows of a stored split."""

import struct
from typing import Any

import msgspec
from django.core.files.storage import default_storage

from datasets.models import Dataset, DatasetStatistics
from lora_pipeline.errors import Refusal

ROWS_AN_INDEX_ENTRY = 256


OFFSET = struct.Struct("<Q")


def require_rows(dataset: Dataset, split: str) -> int:
    """Number of rows in a split. Raises Refusal until the dataset is validated."""
    counts = {
        "train": dataset.statistics.first(),
        "validation": dataset.total_validation_pairs,
    }
    found = counts[split]
    total = found.examples if isinstance(found, DatasetStatistics) else found
    if dataset.status != Dataset.Status.READY or total is None:
        words = f"The dataset has no examples yet: its status is {dataset.status}."
        raise Refusal(words, status_code=409, code="dataset_not_ready")
    return total


def row_at(dataset: Dataset, split: str, number: int) -> dict[str, Any] | None:
    """A normalised row by its number from 0, or None past the end."""
    return next(iter(rows_from(dataset, split, number, 1)), None)


def rows_from(
    dataset: Dataset, split: str, start: int, count: int
) -> list[dict[str, Any]]:
    """Rows in order, located through the index.

    Raises Refusal 409 while the files are being rewritten, or after their removal.
    """
    try:
        return _rows_from(dataset, split, start, count)
    except FileNotFoundError as error:
        words = "The dataset's rows are unavailable while it is being validated again."
        raise Refusal(words, status_code=409, code="dataset_not_ready") from error


def _rows_from(
    dataset: Dataset, split: str, start: int, count: int
) -> list[dict[str, Any]]:
    entry, within = divmod(start, ROWS_AN_INDEX_ENTRY)
    with default_storage.open(dataset.index_path(split)) as index:
        index.seek(entry * OFFSET.size)
        place = index.read(OFFSET.size)
    if len(place) < OFFSET.size:
        return []
    with default_storage.open(dataset.split_path(split)) as rows:
        rows.seek(OFFSET.unpack(place)[0])
        lines = [rows.readline() for _ in range(within + count)][within:]
    return [msgspec.json.decode(line) for line in lines if line]
