"""All writes to datasets."""

from contextlib import suppress
from functools import partial
from pathlib import PurePath
from typing import TYPE_CHECKING, Any, TypeAlias

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from django.utils import timezone
from procrastinate.exceptions import AlreadyEnqueued

from datasets.checking.first_look import first_look
from datasets.domain.faults import clean
from datasets.domain.split import SPLIT_SEED, VALIDATION_SHARE
from datasets.models import Dataset
from datasets.tasks import measure_dataset_task, validate_dataset
from lora_pipeline.accounts.quotas import require_room
from lora_pipeline.errors import Refusal, Rule
from lora_pipeline.files.durable import undone_if_refused
from lora_pipeline.models import User
from training.models import BaseModel

LOCAL = "local"
# What the rows of a dataset follow from, beside its file.
READING = (
    "validation_share", "split_seed", "mapping", "chosen_only", "skip_bad_rows",
)  # fmt: skip
EMPTY_FILE = "The file is empty. It needs at least one example."
IN_USE = (
    "A training job uses this dataset, so its content and split cannot be changed. "
    "Create a new version."
)
NOT_SETTLED = Rule(
    code="dataset_not_settled",
    words="The dataset is still being validated. Wait until it is ready or has errors.",
    when="The dataset is still being validated.",
)
if TYPE_CHECKING:
    Upload: TypeAlias = File[bytes]
else:
    Upload = File


def create_dataset(
    *,
    owner: User,
    file: Upload,
    name: str = "",
    description: str = "",
    validation_share: float = VALIDATION_SHARE,
    split_seed: int = SPLIT_SEED,
    validation_file: Upload | None = None,
    mapping: dict[str, str] | None = None,
    chosen_only: bool = False,
    skip_bad_rows: bool = False,
    previous: Dataset | None = None,
) -> Dataset:
    """Store an uploaded file and queue its validation; never a row without a file.

    Raises Refusal for an empty file, and where the owner has no room for it.
    """
    require_content(file, "file")
    if validation_file is not None:
        require_content(validation_file, "validation_file")
    size = file.size + (validation_file.size if validation_file else 0)
    # Refused early where possible; `begin_check` looks again, under the owner's lock.
    require_room(owner=owner, kind="storage_bytes", adding=size)
    dataset = Dataset(
        user=owner,
        description=description,
        validation_share=validation_share,
        split_seed=split_seed,
        mapping=mapping or {},
        chosen_only=chosen_only,
        skip_bad_rows=skip_bad_rows,
        status=Dataset.Status.VALIDATING,
        file_name=safe_name(file.name),
        file_size=file.size,
        stored_bytes=size,
        validation_file_name=safe_name(validation_file.name) if validation_file else "",
        previous=previous,
        version=previous.version + 1 if previous else 1,
    )
    dataset.name = name.strip() or PurePath(dataset.file_name).stem[:200] or "dataset"
    store(dataset, file, validation_file)
    return dataset


def store(dataset: Dataset, file: Upload, validation_file: Upload | None) -> None:
    """Store both files, the first estimate, the row and its validation, atomically."""
    kept: list[str] = []
    with undone_if_refused(partial(_delete_all, kept)):
        dataset.storage_bucket = settings.S3_BUCKET or LOCAL
        dataset.storage_path = _save(dataset, "original", file, kept)
        if validation_file is not None:
            path = _save(dataset, "original_validation", validation_file, kept)
            dataset.validation_file_path = path
        begin_check(dataset, adding=dataset.stored_bytes)


def _delete_all(paths: list[str]) -> None:
    for path in paths:
        default_storage.delete(path)


def _save(dataset: Dataset, part: str, file: Upload, kept: list[str]) -> str:
    kept.append(default_storage.save(f"datasets/{dataset.pk}/{part}", file))
    return kept[-1]


def begin_check(dataset: Dataset, *, adding: int = 0) -> None:
    """Save the row with estimates from the first rows, and queue validation.

    `adding`: bytes of a new dataset. Uploads that arrive together each find room before
    any of them is stored, so the quota is checked again with the row that counts.
    """
    for name, value in first_look(dataset).items():
        setattr(dataset, name, value)
    with transaction.atomic():
        if adding:
            require_room(owner=dataset.user, kind="storage_bytes", adding=adding)
        dataset.status = Dataset.Status.VALIDATING
        dataset.progress, dataset.stage = 0.0, ""
        dataset.save()
        validate_dataset.defer(dataset_id=str(dataset.pk))


def require_content(file: Upload, field: str) -> None:
    """Raises Refusal for an empty file."""
    if not file.size:
        raise Refusal(EMPTY_FILE, code="invalid", details={field: [EMPTY_FILE]})


def safe_name(name: str | None) -> str:
    """A file name without folders or characters invalid in a header."""
    last = PurePath(clean(name or "").replace("\\", "/")).name
    kept = "".join(c for c in last if c.isprintable() and c not in '"<>|:*?')
    return kept.strip(". ")[-255:] or "dataset"


def edit_dataset(*, dataset: Dataset, name: str, description: str) -> None:
    """Change the name and description."""
    dataset.name = name
    dataset.description = description
    dataset.save(update_fields=["name", "description", "updated_at"])


@transaction.atomic
def change_reading(*, dataset: Dataset, **wanted: Any) -> Dataset:
    """Read the file anew: with another split, mapping, or choice of rows.

    `wanted` are fields of READING. Raises Refusal while in use or validating.
    """
    locked = Dataset.objects.select_for_update(of=("self",)).get(pk=dataset.pk)
    if all(getattr(locked, name) == value for name, value in wanted.items()):
        return locked
    if locked.jobs.exists():
        raise Refusal(IN_USE, status_code=409, code="dataset_in_use")
    if not locked.is_settled:
        raise NOT_SETTLED.refusal()
    for name, value in wanted.items():
        setattr(locked, name, value)
    locked.training_ready = False
    begin_check(locked)
    return locked


def create_version(
    *,
    dataset: Dataset,
    file: Upload | None = None,
    validation_file: Upload | None = None,
    validation_share: float | None = None,
    split_seed: int | None = None,
    **reading: Any,
) -> Dataset:
    """A new version: other content, or the same content split differently."""
    if not dataset.storage_path:
        raise NOT_SETTLED.refusal()
    old_validation = dataset.validation_file_path if file is None else ""
    old_name = dataset.validation_file_name
    share = dataset.validation_share if validation_share is None else validation_share
    with (
        Reopened(dataset.storage_path, dataset.file_name, file) as content,
        Reopened(old_validation, old_name, validation_file) as validation,
    ):
        assert content is not None  # noqa: S101 - a dataset with a path has a file; for mypy
        return create_dataset(
            owner=dataset.user,
            file=content,
            name=dataset.name,
            description=dataset.description,
            validation_share=share,
            split_seed=dataset.split_seed if split_seed is None else split_seed,
            mapping=reading.get("mapping", dataset.mapping),
            chosen_only=reading.get("chosen_only", dataset.chosen_only),
            skip_bad_rows=reading.get("skip_bad_rows", dataset.skip_bad_rows),
            validation_file=validation,
            previous=dataset,
        )


class Reopened:
    """The given file, else the stored one as a new upload, else None."""

    def __init__(self, path: str, name: str, given: Upload | None) -> None:
        self._path, self._name, self._given = path, name, given
        self._opened: Any = None

    def __enter__(self) -> Upload | None:
        if self._given is not None or not self._path:
            return self._given
        self._opened = default_storage.open(self._path)
        return File(self._opened, name=self._name)

    def __exit__(self, *error: object) -> None:
        if self._opened is not None:
            self._opened.close()


def delete_dataset(*, dataset: Dataset) -> None:
    """Soft-delete a dataset; jobs that used it keep working and keep its name."""
    dataset.deleted_at = timezone.now()
    dataset.save(update_fields=["deleted_at", "updated_at"])


@transaction.atomic
def restore_dataset(*, dataset: Dataset) -> None:
    """Restore a deleted dataset; an abandoned validation starts again.

    Deleted and restored over and over, it waits once in the queue.
    """
    dataset.deleted_at = None
    dataset.save(update_fields=["deleted_at", "updated_at"])
    if dataset.status == Dataset.Status.VALIDATING:
        once = validate_dataset.configure(queueing_lock=f"validate {dataset.pk}")
        with suppress(AlreadyEnqueued), transaction.atomic():
            once.defer(dataset_id=str(dataset.pk))


def edit(dataset: Dataset, changes: dict[str, Any]) -> None:
    """Change the names, and how the file is read and split where that is given."""
    names = {"name": dataset.name, "description": dataset.description}
    given = {key: changes.get(key, value) for key, value in names.items()}
    wanted = {key: changes[key] for key in READING if key in changes}
    if wanted:
        change_reading(dataset=dataset, **wanted)
        dataset.refresh_from_db()
    edit_dataset(dataset=dataset, **given)


def queue_measuring(*, dataset: Dataset, base_model: str) -> None:
    """Queue token counting of a ready dataset for a base model in the catalogue."""
    if not BaseModel.objects.enabled().filter(pk=base_model).exists():
        known = ", ".join(BaseModel.objects.enabled().values_list("id", flat=True))
        words = f"Received {base_model!r}; choose one of: {known}."
        raise Refusal(words, code="invalid", details={"base_model": [words]})
    if dataset.status != Dataset.Status.READY:
        words = f"Tokens cannot be counted: the dataset's status is {dataset.status}."
        raise Refusal(words, status_code=409, code="dataset_not_ready")
    with suppress(AlreadyEnqueued):
        measure_dataset_task.configure(
            queueing_lock=f"measure {dataset.pk} {base_model}"
        ).defer(dataset_id=str(dataset.pk), base_model=base_model)
