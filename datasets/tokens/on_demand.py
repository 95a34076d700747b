"""Counts a dataset for a base model when it is first asked about."""

import time
from datetime import timedelta

from django.core.files.storage import default_storage
from django.utils import timezone

from datasets.models import Dataset
from datasets.services import queue_measuring
from datasets.tokens.base_models import tokenizer_of
from datasets.tokens.measure import OutOfTime, measure_again
from datasets.tokens.renderer import Patience

AT_ONCE_BYTES = 1024 * 1024
AT_ONCE_SECONDS = 5.0
SILENCE = timedelta(minutes=10)


def count_now(dataset: Dataset, base_model: str) -> bool:
    """Whether a dataset was counted for a base model just now.

    `dataset` knows what was counted so far (`counts_asked`). One whose train split is
    small is counted while the caller waits, 5 s at most; a larger one by the worker,
    with progress.
    """
    if dataset.status != Dataset.Status.READY or _is_counted(dataset, base_model):
        return False
    path = dataset.split_path("train")
    if not default_storage.exists(path) or not tokenizer_of(base_model).exact:
        return False
    if default_storage.size(path) <= AT_ONCE_BYTES:
        patience = Patience(until=time.monotonic() + AT_ONCE_SECONDS)
        try:
            measure_again(str(dataset.pk), base_model, patience)
        except OutOfTime:
            pass
        else:
            return True
    if not _is_under_way(dataset, base_model):
        queue_measuring(dataset=dataset, base_model=base_model)
    return False


def _is_under_way(dataset: Dataset, base_model: str) -> bool:
    """Whether the worker is at it, as far as it told in the last minutes."""
    silent = timezone.now() - dataset.updated_at
    return base_model in dataset.measuring and silent < SILENCE


def _is_counted(dataset: Dataset, base_model: str) -> bool:
    """Whether the counts at hand are by that model's own tokenizer."""
    found = dataset.counts_asked[1]
    return found is not None and found["base_model"] == base_model and found["exact"]
