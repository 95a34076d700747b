"""Dataset files in the storage: replacing one, and listing all for a backup."""

from collections.abc import Iterator

from django.core.files.base import File
from django.core.files.storage import default_storage

from datasets.domain.split import SPLITS
from datasets.models import Dataset


class Movable(File):  # type: ignore[type-arg]
    """A local file that the storage may move instead of copying."""

    def temporary_file_path(self) -> str:
        return str(self.name)


def replace_stored(path: str, file: str) -> None:
    """Store a local file under a path, replacing what is there."""
    default_storage.delete(path)
    with open(file, "rb") as content:
        saved = default_storage.save(path, Movable(content, name=file))
    if saved != path:
        default_storage.delete(saved)
        raise OSError(f"{path} was written by another process in the meantime.")


def paths() -> Iterator[str]:
    """Original uploads, and the splits of ready datasets."""
    for dataset in Dataset.objects.exclude(storage_path="").iterator():
        yield dataset.storage_path
        if dataset.validation_file_path:
            yield dataset.validation_file_path
        if dataset.status == Dataset.Status.READY:
            for split in SPLITS:
                yield dataset.split_path(split)
                yield dataset.index_path(split)
