"""One console a folder: a second one would take over the first one's address."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.core.management.base import CommandError

NAME = "up.lock"


@contextmanager
def alone(var_dir: Path, url: str) -> Iterator[None]:
    """Holds the folder inside the block; the lock ends with this process.

    Raises CommandError naming the process that holds it.
    """
    descriptor = os.open(var_dir / NAME, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        if not _taken(descriptor):
            raise CommandError(_words(var_dir))
        os.ftruncate(descriptor, 0)
        os.write(descriptor, f"process {os.getpid()} at {url}".encode())
        yield
    finally:
        os.close(descriptor)


def require_alone(var_dir: Path) -> None:
    """Raises CommandError naming the console that runs here; changes nothing."""
    if found := who_runs(var_dir):
        raise CommandError(_words(var_dir, found))


def who_runs(var_dir: Path) -> str:
    """The process and address of `manage.py up` in this folder; empty without one."""
    try:
        descriptor = os.open(var_dir / NAME, os.O_RDWR)
    except OSError:
        return ""
    try:
        return "" if _taken(descriptor) else (var_dir / NAME).read_text()
    finally:
        os.close(descriptor)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def _words(var_dir: Path, found: str = "") -> str:
    found = found or (var_dir / NAME).read_text()
    return (
        f"A console runs in {var_dir} already: {found}. Stop it, or start this one in "
        f"another folder (LORA_PIPELINE_VAR)."
    )
