"""Downloads of a dataset's files."""

from pathlib import PurePath

from django.core.files.storage import default_storage
from django.http import FileResponse

from datasets.models import Dataset
from datasets.rows import require_rows
from datasets.services import safe_name
from lora_pipeline.errors import Rule

NO_FILE = Rule(
    code="no_file",
    words="The file is incomplete: finish the upload first.",
    when="The file has not arrived yet.",
)


def original_file(dataset: Dataset) -> FileResponse:
    """The file as uploaded, sent so that no browser interprets it."""
    if not dataset.storage_path:
        raise NO_FILE.refusal()
    return _download(
        dataset.storage_path, dataset.file_name, "application/octet-stream"
    )


def normalised_file(dataset: Dataset, split: str) -> FileResponse:
    """A split as JSON Lines."""
    require_rows(dataset, split)
    name = f"{PurePath(dataset.file_name).stem.split('.')[0]}-{split}.jsonl"
    return _download(dataset.split_path(split), name, "application/jsonl")


def _download(path: str, name: str, content_type: str) -> FileResponse:
    return FileResponse(
        default_storage.open(path),
        as_attachment=True,
        filename=safe_name(name),
        content_type=content_type,
    )
