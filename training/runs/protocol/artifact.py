"""Receives a trained adapter: streamed, verified, stored completely or not at all."""

import hashlib
import tempfile
from functools import partial
from typing import IO, Any

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction

from lora_pipeline.accounts.quotas import require_room
from lora_pipeline.errors import Refusal
from lora_pipeline.files.durable import undone_if_refused
from training.adapters.archive import CHUNK_BYTES, WEIGHTS, BadArchive, check_archive
from training.adapters.lineage import facts_of, next_version
from training.models import Adapter, RunAttempt
from training.runs.protocol.ingest import open_attempt


def receive_artifact(
    *, attempt: RunAttempt, stream: Any, archive_sha256: str, adapter_sha256: str
) -> Adapter:
    """Store an adapter's zip archive for the attempt's job.

    Raises Refusal when a checksum differs or the archive holds anything but files of
    a PEFT folder, or the job's owner has no room for it. Sending the same archive again
    changes nothing.
    """
    with tempfile.TemporaryFile(dir=settings.UPLOAD_DIR) as file:
        found, size = _copy(stream, file)
        if found != archive_sha256:
            raise _refused(
                f"The archive's SHA-256 is {found}, expected {archive_sha256}."
            )
        weights = _weights_of(file)
        if weights != adapter_sha256:
            raise _refused(
                f"The SHA-256 of {WEIGHTS} is {weights}, expected {adapter_sha256}."
            )
        file.seek(0)
        return _keep(attempt, file, size, archive=found, weights=weights)


def _copy(stream: Any, file: IO[bytes]) -> tuple[str, int]:
    """Copy a stream; returns SHA-256 and size."""
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(CHUNK_BYTES):
        digest.update(chunk)
        size += file.write(chunk)
    return digest.hexdigest(), size


def _weights_of(file: IO[bytes]) -> str:
    """The weights' SHA-256 of a valid archive."""
    try:
        return check_archive(file, most_bytes=settings.MAX_ADAPTER_BYTES)
    except BadArchive as error:
        raise _refused(str(error)) from error


def _refused(words: str) -> Refusal:
    return Refusal(words, code="bad_artifact")


def _keep(
    attempt: RunAttempt, file: IO[bytes], size: int, *, archive: str, weights: str
) -> Adapter:
    known = Adapter.objects.filter(job_id=attempt.job_id).first()
    if known is not None and known.archive_sha256 == archive and _is_stored(known):
        return known
    path = default_storage.save(
        f"adapters/{attempt.job_id}/{archive[:16]}.zip", File(file)
    )
    with undone_if_refused(partial(default_storage.delete, path)):
        return _record(attempt, path, size, archive=archive, weights=weights)


def _is_stored(adapter: Adapter) -> bool:
    return bool(adapter.storage_path) and default_storage.exists(adapter.storage_path)


@transaction.atomic
def _record(
    attempt: RunAttempt, path: str, size: int, *, archive: str, weights: str
) -> Adapter:
    """Raises Refusal 410 if a newer attempt started during the upload, and 413 if the
    owner's storage has no room: two runs may end at the same moment.
    """
    fenced = open_attempt(attempt.pk)
    job = fenced.job
    adapter = Adapter.objects.filter(job=job).first()
    replaced = adapter.size_bytes if adapter and adapter.storage_path else 0
    added = max(size - replaced, 0)
    require_room(owner=job.user, kind="storage_bytes", adding=added)
    facts = facts_of(fenced) | {
        "storage_path": path,
        "size_bytes": size,
        "archive_sha256": archive,
        "adapter_sha256": weights,
        "deleted_at": None,
    }
    if adapter is None:
        version = next_version(job.user, job.name)
        adapter = Adapter(job=job, user=job.user, name=job.name, version=version)
    for name, value in facts.items():
        setattr(adapter, name, value)
    adapter.save()
    job.artifact = adapter
    job.save(update_fields=["artifact", "updated_at"])
    return adapter
