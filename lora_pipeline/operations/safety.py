"""The doctor's checks that nothing the console keeps is about to be lost."""

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from lora_pipeline.operations.diagnosis import Check, Finding, ok, warning
from lora_pipeline.postgres.places import existing_root

CLEANED = (Path("/tmp"), Path("/var/tmp"), Path("/dev/shm"))  # noqa: S108 - only compared


def places() -> Iterator[Finding]:
    """Whether what is kept stands where cleaners remove what is old."""
    kept = [("files", Path(settings.VAR_DIR)), ("models", Path(settings.MODELS_DIR))]
    if settings.DATABASE_EMBEDDED:
        root = existing_root(Path(settings.VAR_DIR).resolve(), None)
        kept += [("database", root)] if root else []
    found = [(part, path) for part, path in kept if is_cleaned(path)]
    for part, path in found:
        words = f"{part} in {path}, which is emptied of what is old, or by a restart"
        yield warning("place", words, "stop the console and move it, such as to /srv")
    if not found:
        where = ", ".join(f"{part} in {path}" for part, path in kept)
        yield ok("place", where)


def is_cleaned(path: Path) -> bool:
    """Whether a cleaner such as systemd-tmpfiles empties a folder above."""
    return any(path.resolve().is_relative_to(folder) for folder in CLEANED)


CHECKS = [Check(places)]
