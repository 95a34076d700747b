"""The console's own folders, and looking through one that may change meanwhile."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from django.conf import settings


@cache
def make_own_folders() -> None:
    """Make the folders of the settings where they are missing.

    The account of the embedded server passes through the first to its own below.
    """
    Path(settings.VAR_DIR).mkdir(mode=0o711, exist_ok=True, parents=True)
    for name in ("STORAGE_DIR", "UPLOAD_DIR", "RUNS_DIR", "MODELS_DIR"):
        Path(getattr(settings, name)).mkdir(mode=0o700, exist_ok=True, parents=True)


def files_below(folder: Path) -> Iterator[Path]:
    """Every file below a folder, but no links, and nothing that vanishes meanwhile.

    (`Path.rglob` raises FileNotFoundError when a folder goes between being listed and
    being entered.) Raises OSError for a folder that is there and cannot be read.
    """
    for parent, _, names in os.walk(folder, onerror=_raise_unless_gone):
        for name in names:
            path = Path(parent, name)
            if path.is_file() and not path.is_symlink():
                yield path


def _raise_unless_gone(error: OSError) -> None:
    if not isinstance(error, FileNotFoundError):
        raise error
