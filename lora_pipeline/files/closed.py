"""Who else on the machine may read what the console writes: nobody."""

import os
from pathlib import Path

OWN_FILES_ONLY = 0o077


def write_for_ourselves() -> None:
    """From here on this process makes files 0600 and folders 0700."""
    os.umask(OWN_FILES_ONLY)


def make_passable(folder: Path) -> None:
    """A folder that others can pass through and not list, as var/ is: to the static
    files and to the embedded server's own folder. One that exists stays as it is.
    """
    if not folder.exists():
        folder.mkdir(parents=True, exist_ok=True)
        folder.chmod(0o711)
