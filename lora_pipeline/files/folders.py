"""Walks folders that another process may be deleting."""

import os
from collections.abc import Iterator
from pathlib import Path


def files_below(folder: Path) -> Iterator[Path]:
    """Every file below a folder, without symlinks and files deleted meanwhile.

    (`Path.rglob` raises FileNotFoundError if a folder is deleted between being listed
    and being entered.) Raises OSError for a folder that exists but cannot be read.
    """
    for parent, _, names in os.walk(folder, onerror=_raise_unless_gone):
        for name in names:
            path = Path(parent, name)
            if path.is_file() and not path.is_symlink():
                yield path


def _raise_unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
