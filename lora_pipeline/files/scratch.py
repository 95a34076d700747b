"""Folders for what a task writes on the way; they go even when it is killed."""

import fcntl
import shutil
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from django.conf import settings

SUFFIX = ".scratch"
LOCK = "in-use"
BEGINNING_SECONDS = 60


@contextmanager
def scratch_folder(name: str) -> Iterator[Path]:
    """A folder of the task `name`; what an ended one left under it goes first."""
    remove_scratch(name)
    made = tempfile.mkdtemp(prefix=f"{name}.", suffix=SUFFIX, dir=settings.UPLOAD_DIR)
    folder = Path(made)
    try:
        with (folder / LOCK).open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def remove_scratch(name: str = "*") -> None:
    """Remove what tasks of this name, or any, left that are under way no longer."""
    for folder in abandoned(name):
        shutil.rmtree(folder, ignore_errors=True)


def abandoned(name: str = "*") -> list[Path]:
    """Folders of tasks whose process ended before they did."""
    found = Path(settings.UPLOAD_DIR).glob(f"{name}.*{SUFFIX}")
    return [folder for folder in found if not is_in_use(folder)]


def is_in_use(folder: Path) -> bool:
    """Whether the process that made it lives: its lock says so, not its age."""
    try:
        with (folder / LOCK).open() as lock:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except OSError:
        # Between being made and being locked there is a moment without a lock.
        return _is_new(folder)
    return False


def _is_new(folder: Path) -> bool:
    try:
        return time.time() - folder.stat().st_mtime < BEGINNING_SECONDS
    except OSError:
        return False
