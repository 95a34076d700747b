"""What was acknowledged is on the disk, and a full disk is told apart."""

import errno
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any

from django.db import InterfaceError, OperationalError

FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
POSTGRES_DISK_FULL = "53100"
LOST = ("08", "57P")  # connection exceptions, the server's end


def sync(file: IO[Any]) -> None:
    """What was written to a file is on the disk when this returns."""
    file.flush()
    os.fsync(file.fileno())


def sync_path(path: Path) -> None:
    """A file's content, or a folder's names, are on the disk when this returns."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def is_disk_full(error: BaseException | None) -> bool:
    """Whether our disk, the database's or a quota on either caused an error."""
    while error is not None:
        if isinstance(error, OSError) and error.errno in FULL:
            return True
        if getattr(error, "sqlstate", None) == POSTGRES_DISK_FULL:
            return True
        error = error.__cause__ or error.__context__
    return False


@contextmanager
def undone_if_refused(undo: Callable[[], object]) -> Iterator[None]:
    """Take a stored file back when the row that names it was not saved.

    Where the connection broke, the row may have been saved all the same: the file
    stays, since a row without its file does more harm than a file without its row.
    """
    try:
        yield
    except BaseException as error:
        if not is_outcome_unknown(error):
            undo()
        raise


def is_outcome_unknown(error: BaseException) -> bool:
    """Whether a transaction may have been committed although it raised this."""
    if not isinstance(error, OperationalError | InterfaceError):
        return False
    state = getattr(error.__cause__, "sqlstate", None)
    return state is None or state.startswith(LOST)
