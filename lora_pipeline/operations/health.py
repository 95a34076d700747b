"""Health checks, used by probes, metrics and doctor."""

import uuid
from collections.abc import Callable
from datetime import datetime

from django.conf import settings
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import Error, connection
from django.db.models import Max
from django.utils import timezone
from django.utils.module_loading import import_string
from procrastinate.contrib.django.models import ProcrastinateWorker

from lora_pipeline.postgres import row_security, versions
from lora_pipeline.postgres.refusals import DatabaseRefused

SILENT_AFTER_SECONDS = max(30.0, 3 * settings.RECONCILE_SECONDS)
PROBE_FOLDER = "probe"


def database() -> str:
    """Empty if the database answers, else the problem without any detail."""
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except (Error, DatabaseRefused):
        return "the database does not answer"
    return ""


def migrations() -> str:
    """Whether the tables are those of this version."""
    if found := versions.newer():
        return f"the database is newer than this program: it has {found[0]}"
    found = versions.missing()
    return f"{len(found)} migrations are not applied" if found else ""


def storage() -> str:
    """Whether a file can be written, read back and removed."""
    name, content = f"{PROBE_FOLDER}/{uuid.uuid4()}", b"probe"
    try:
        saved = default_storage.save(name, ContentFile(content))
        with default_storage.open(saved) as file:
            same = file.read() == content
        default_storage.delete(saved)
    except Exception:
        return "the storage is not writable"
    return "" if same else "the storage returned different bytes than were written"


def worker() -> str:
    """Whether a worker is processing tasks."""
    return silence("worker", worker_age())


def worker_age() -> float | None:
    """Seconds since the last worker heartbeat, or None if there was none."""
    with row_security.operator():
        beat = ProcrastinateWorker.objects.aggregate(at=Max("last_heartbeat"))
    return seconds_since(beat["at"])


def seconds_since(at: datetime | None) -> float | None:
    """Age of a heartbeat in seconds, never negative; None if there was none."""
    return None if at is None else max((timezone.now() - at).total_seconds(), 0.0)


def silence(name: str, age: float | None) -> str:
    """The problem with a process whose last heartbeat is this old, or empty."""
    if age is None:
        return f"no {name} heartbeat yet"
    late = age > SILENT_AFTER_SECONDS
    return f"no {name} heartbeat for {age:.0f} s" if late else ""


CHECKS: dict[str, Callable[[], str]] = {
    "database": database,
    "migrations": migrations,
    "storage": storage,
    "worker": worker,
}


def checks() -> dict[str, Callable[[], str]]:
    """Our own checks plus those of the apps, from the setting HEALTH_CHECKS."""
    added = {n: import_string(path) for n, path in settings.HEALTH_CHECKS.items()}
    return CHECKS | added


def faults() -> dict[str, str]:
    """Problems by part; the later parts are skipped without a database.

    The messages contain no error details, because anyone can read them.
    """
    found = {}
    for name, check in checks().items():
        try:
            words = check()
        except Error:
            words = "the database does not answer"
        if words:
            found[name] = words
        if name == "database" and words:
            break
    return found
