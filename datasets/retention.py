"""Retention of dataset files: which have expired, and removing them."""

from datetime import datetime

from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone

from datasets.models import Dataset
from lora_pipeline.operations.retention import Freed

SPLITS = ("train", "validation")


def remove_deleted_files(before: datetime, *, dry_run: bool) -> Freed:
    """Files and samples of datasets deleted before a point in time.

    The row stays because jobs refer to it, but can no longer be restored. Datasets that
    an open job trains on are kept.
    """
    deleted = Dataset.objects.filter(deleted_at__lt=before, files_removed_at=None)
    freed = Freed("deleted datasets")
    for dataset in deleted.iterator():
        if not dataset.jobs.open().exists():
            freed.add(stored_bytes(dataset))
            if not dry_run:
                _remove_files(dataset)
    return freed


def paths_of(dataset: Dataset) -> list[str]:
    """Every storage path that may belong to a dataset."""
    own = [dataset.storage_path, dataset.validation_file_path]
    for split in SPLITS:
        own += [dataset.split_path(split), dataset.index_path(split)]
    return [path for path in own if path]


def stored_bytes(dataset: Dataset) -> int:
    """Size of its files."""
    there = filter(default_storage.exists, paths_of(dataset))
    return sum(default_storage.size(path) for path in there)


def _remove_files(dataset: Dataset) -> None:
    """Row first: an orphaned file does less harm than a row without its file."""
    paths = paths_of(dataset)
    with transaction.atomic():
        locked = Dataset.objects.select_for_update().filter(pk=dataset.pk)
        if not locked.exclude(deleted_at=None).exists():
            return
        locked.update(
            storage_path="",
            validation_file_path="",
            training_ready=False,
            sample_data=[],
            validation_errors=[],
            validation_warnings=[],
            files_removed_at=timezone.now(),
        )
    for path in paths:
        default_storage.delete(path)
