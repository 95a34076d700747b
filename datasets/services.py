"""Every write of datasets."""

import hashlib
import json
from pathlib import PurePath
from typing import Any

from django.core.files.base import File
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.utils import timezone

from datasets.models import Dataset
from datasets.tasks import validate_dataset
from lora_pipeline.envelope import Refusal
from lora_pipeline.models import User

EMPTY_FILE = "The file is empty; give JSON Lines with one conversation a line."


def create_dataset(
    *, owner: User, file: "UploadedFile[bytes]", name: str = "", description: str = ""
) -> Dataset:
    """Store an uploaded file and have it checked; the row exists only with its file.

    Raises Refusal for an empty file.
    """
    if not file.size:
        raise Refusal(EMPTY_FILE, code="invalid", details={"file": [EMPTY_FILE]})
    file_name = PurePath(file.name or "dataset.jsonl").name[:255]
    dataset = Dataset(
        user=owner,
        name=name.strip() or PurePath(file_name).stem[:200],
        description=description,
        file_name=file_name,
        file_size=file.size,
        status=Dataset.Status.VALIDATING,
    )
    digest = hash_file(file)
    path = default_storage.save(f"datasets/{dataset.pk}/original", file)
    try:
        _insert(dataset, sha256=digest, storage_path=path)
    except BaseException:
        default_storage.delete(path)
        raise
    return dataset


@transaction.atomic
def _insert(dataset: Dataset, *, sha256: str, storage_path: str) -> None:
    dataset.sha256 = sha256
    dataset.storage_path = storage_path
    dataset.save(force_insert=True)
    validate_dataset.defer(dataset_id=str(dataset.pk))


def hash_file(file: "File[bytes]") -> str:
    """SHA-256 of a file in hex, read in pieces; leaves it at its start."""
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    file.seek(0)
    return digest.hexdigest()


def edit_dataset(*, dataset: Dataset, name: str, description: str) -> None:
    """Change what people call it."""
    dataset.name = name
    dataset.description = description
    dataset.save(update_fields=["name", "description", "updated_at"])


def delete_dataset(*, dataset: Dataset) -> None:
    """Put a dataset out of sight; jobs that used it keep working and keep its name."""
    dataset.deleted_at = timezone.now()
    dataset.save(update_fields=["deleted_at", "updated_at"])


def keep_result(dataset: Dataset, **fields: Any) -> None:
    """Store what checking found, unless the dataset was deleted meanwhile."""
    for name, value in fields.items():
        json.dumps(value, default=str)
        setattr(dataset, name, value)
    dataset.save(update_fields=[*fields, "updated_at"])
