"""Taking in a trained adapter: streamed, checked, stored whole or not at all."""

import hashlib
import tempfile
import zipfile
from pathlib import PurePosixPath
from typing import IO, Any

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction

from lora_pipeline.envelope import Refusal
from training.ingest import open_attempt
from training.lineage import facts_of, next_version
from training.models import Adapter, RunAttempt

CHUNK_BYTES = 1024 * 1024
WEIGHTS = "adapter_model.safetensors"
NEEDED = {WEIGHTS, "adapter_config.json"}


def receive_artifact(
    *, attempt: RunAttempt, stream: Any, archive_sha256: str, adapter_sha256: str
) -> Adapter:
    """Store an adapter's zip archive for the attempt's job.

    Raises Refusal when a checksum differs or the archive holds anything but files of
    a PEFT folder. Sending the same archive again changes nothing.
    """
    with tempfile.TemporaryFile(dir=settings.UPLOAD_DIR) as file:
        found, size = _copy(stream, file)
        if found != archive_sha256:
            raise _refused(f"The archive has the sha256 {found}, not {archive_sha256}.")
        weights = _check_archive(file)
        if weights != adapter_sha256:
            raise _refused(f"{WEIGHTS} has the sha256 {weights}, not {adapter_sha256}.")
        file.seek(0)
        return _keep(attempt, file, size, archive=found, weights=weights)


def _copy(stream: Any, file: IO[bytes] | None) -> tuple[str, int]:
    """SHA-256 and size of what was read, and copied when there is a file."""
    digest, size = hashlib.sha256(), 0
    while chunk := stream.read(CHUNK_BYTES):
        digest.update(chunk)
        size += file.write(chunk) if file else len(chunk)
    return digest.hexdigest(), size


def _check_archive(file: IO[bytes]) -> str:
    """The weights' SHA-256, when the archive is what it should be."""
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
            if missing := NEEDED - set(names):
                raise _refused(f"The archive lacks {', '.join(sorted(missing))}.")
            if unsafe := [name for name in names if not _is_safe(name)]:
                raise _refused(
                    f"The archive has a file that is refused: {unsafe[0]!r}."
                )
            with archive.open(WEIGHTS) as weights:
                return _copy(weights, None)[0]
    except zipfile.BadZipFile:
        raise _refused("The body is not a zip archive.") from None


def _is_safe(name: str) -> bool:
    """Inside its own folder, and nothing that runs code when it is loaded."""
    path = PurePosixPath(name)
    inside = not path.is_absolute() and ".." not in path.parts and "\\" not in name
    return inside and path.suffix not in {".bin", ".pt", ".pth", ".pkl", ".py"}


def _refused(words: str) -> Refusal:
    return Refusal(words, code="bad_artifact")


def _keep(
    attempt: RunAttempt, file: IO[bytes], size: int, *, archive: str, weights: str
) -> Adapter:
    known = Adapter.objects.filter(job_id=attempt.job_id).first()
    if known is not None and known.archive_sha256 == archive:
        return known
    path = default_storage.save(
        f"adapters/{attempt.job_id}/{archive[:16]}.zip", File(file)
    )
    try:
        return _record(attempt, path, size, archive=archive, weights=weights)
    except BaseException:
        default_storage.delete(path)
        raise


@transaction.atomic
def _record(
    attempt: RunAttempt, path: str, size: int, *, archive: str, weights: str
) -> Adapter:
    """Raises Refusal 410 when a newer attempt began while the archive was sent."""
    fenced = open_attempt(attempt.pk)
    job = fenced.job
    facts = facts_of(fenced) | {
        "storage_path": path,
        "size_bytes": size,
        "archive_sha256": archive,
        "adapter_sha256": weights,
        "deleted_at": None,
    }
    adapter = Adapter.objects.filter(job=job).first()
    if adapter is None:
        version = next_version(job.user, job.name)
        adapter = Adapter(job=job, user=job.user, name=job.name, version=version)
    for name, value in facts.items():
        setattr(adapter, name, value)
    adapter.save()
    job.artifact = adapter
    job.save(update_fields=["artifact", "updated_at"])
    return adapter
