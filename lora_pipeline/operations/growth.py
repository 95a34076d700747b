"""What would grow for ever: logs are cut by the worker each hour, rows each night."""

import os
import shutil
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from axes.models import AccessAttempt, AccessFailureLog, AccessLog
from django.conf import settings
from django.db import connection

from lora_pipeline.operations.diagnosis import Check, Finding, ok, warning
from lora_pipeline.operations.retention import Freed
from lora_pipeline.postgres.places import existing_root

MOST_LOG_BYTES = 10 * 1024**2
OLD_LOGS = 3
# Ended otherwise than by success, which removes a task at once, and not of late.
ENDED_TASKS = """
FROM procrastinate_jobs job WHERE status IN ('failed', 'aborted', 'cancelled')
AND NOT EXISTS (
    SELECT FROM procrastinate_events event
    WHERE event.job_id = job.id AND event.at >= %s)
"""
FORGOTTEN_DEATHS = """
DELETE FROM task_deaths WHERE last_at < %s
AND NOT EXISTS (SELECT FROM procrastinate_jobs job WHERE job.id = job_id)
"""


def logs() -> list[Path]:
    """The logs that this console itself lets grow: that of the embedded server."""
    if not settings.DATABASE_EMBEDDED:
        return []
    root = existing_root(Path(settings.VAR_DIR).resolve(), None)
    return [root / "server.log"] if root else []


def rotate_logs() -> None:
    """Cut each log that became too large; three old ones are kept beside it."""
    for log in logs():
        rotate(log)


def rotate(log: Path, most_bytes: int = MOST_LOG_BYTES) -> bool:
    """Copy a log to `.1` and empty it; whoever writes to it has it open to append.

    Lines that are written between the two are lost: few, and of a log.
    """
    if not log.is_file() or log.stat().st_size <= most_bytes:
        return False
    for number in range(OLD_LOGS, 1, -1):
        older = log.with_name(f"{log.name}.{number - 1}")
        if older.is_file():
            older.replace(log.with_name(f"{log.name}.{number}"))
    copy = log.with_name(f"{log.name}.1")
    copy.touch(mode=0o600)
    shutil.copyfile(log, copy)
    os.truncate(log, 0)
    return True


def remove_tasks(before: datetime, *, dry_run: bool) -> Freed:
    """Failed and cancelled tasks that ended before a point in time."""
    with connection.cursor() as cursor:
        cursor.execute(f"SELECT count(*) {ENDED_TASKS}", [before])
        freed = Freed("failed and cancelled tasks", cursor.fetchone()[0])
        if not dry_run:
            cursor.execute(f"DELETE {ENDED_TASKS}", [before])
            cursor.execute(FORGOTTEN_DEATHS, [before])
    return freed


def remove_sign_ins(before: datetime, *, dry_run: bool) -> Freed:
    """Failed sign-ins before a point in time."""
    freed = Freed("failed sign-ins")
    for model in (AccessAttempt, AccessFailureLog, AccessLog):
        old = model.objects.filter(attempt_time__lt=before)
        freed.count += old.count()
        if not dry_run:
            old.delete()
    return freed


def log_sizes() -> Iterator[Finding]:
    """Whether a log is much larger than where it is cut."""
    for log in logs():
        size = log.stat().st_size if log.is_file() else 0
        words = f"{log}: {size / 1e6:.0f} MB"
        if size > 2 * MOST_LOG_BYTES:
            remedy = "the worker cuts it each hour: start it, and read what fills it"
            yield warning("logs", words, remedy)
        else:
            yield ok("logs", words)


CHECKS = [Check(log_sizes)]
