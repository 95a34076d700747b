"""Which files the database names: they must be in a backup that is worth the name."""

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from datasets.models import Dataset
from lora_pipeline.folders import files_below
from training.models import Adapter, AdapterExport, Checkpoint

SPLITS = ("train", "validation")


def stored_paths() -> Iterator[str]:
    """Paths in the storage, as the rows of this transaction have them."""
    yield from dataset_paths()
    adapters = Adapter.objects.exclude(storage_path="")
    yield from adapters.values_list("storage_path", flat=True)
    exports = AdapterExport.objects.exclude(storage_path="")
    yield from exports.values_list("storage_path", flat=True)


def dataset_paths() -> Iterator[str]:
    """Originals as uploaded, and the splits of what was found ready."""
    for dataset in Dataset.objects.exclude(storage_path="").iterator():
        yield dataset.storage_path
        if dataset.validation_file_path:
            yield dataset.validation_file_path
        if dataset.status == Dataset.Status.READY:
            for split in SPLITS:
                yield dataset.split_path(split)
                yield dataset.index_path(split)


def checkpoint_folders() -> Iterator[str]:
    """Folders below the run folders that a job can go on from."""
    kept = Checkpoint.objects.kept().values_list("job_id", "name")
    return (f"{job}/checkpoints/{name}" for job, name in kept)


def checkpoint_files(folder: str) -> list[str]:
    """What lies in such a folder now; empty when it is gone."""
    root = Path(settings.RUNS_DIR)
    return [str(path.relative_to(root)) for path in files_below(root / folder)]
