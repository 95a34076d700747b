"""The doctor's checks that nothing the console keeps is about to be lost."""

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from lora_pipeline.files.scratch import abandoned
from lora_pipeline.operations.diagnosis import Check, Finding, ok, warning
from lora_pipeline.postgres.places import existing_root
from lora_pipeline.processes.alone import who_runs

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


def console() -> Iterator[Finding]:
    """Which `manage.py up` runs in this folder."""
    found = who_runs(Path(settings.VAR_DIR))
    words = found or "no manage.py up here (systemd's units do without)"
    yield ok("console", words)


def scratch() -> Iterator[Finding]:
    """What tasks left whose worker died; a worker removes it."""
    if left := abandoned():
        words = f"{len(left)} folders of ended tasks, such as {left[0]}"
        yield warning("scratch", words, "start a worker, which removes them")
    else:
        yield ok("scratch", "no task that ended left files")


CHECKS = [Check(places), Check(console), Check(scratch)]
