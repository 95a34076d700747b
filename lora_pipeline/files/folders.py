"""The console's folders, and walking folders that another process may change."""

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path

from django.conf import settings

from lora_pipeline.files.closed import make_passable

FOLDERS = ("STORAGE_DIR", "UPLOAD_DIR", "RUNS_DIR", "MODELS_DIR")


@cache
def make_own_folders() -> None:
    """Create the folders in the settings if they are missing.

    The embedded server's account must be able to traverse the first one.
    """
    make_passable(Path(settings.VAR_DIR))
    for name in FOLDERS:
        Path(getattr(settings, name)).mkdir(mode=0o700, exist_ok=True, parents=True)
    # Public: a proxy serves it, and without it every start warns of its absence.
    Path(settings.STATIC_ROOT).mkdir(mode=0o755, exist_ok=True, parents=True)
    for name in ("UPLOAD_DIR", "RUNS_DIR"):  # trainers find their own folders in them
        with suppress(PermissionError):
            mode = 0o711 if settings.TRAINER_USER else 0o700
            Path(getattr(settings, name)).chmod(mode)


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
