"""Files of a folder that another user can write too, opened without following links.

A trainer could leave a link to what only the console may read, and have it shown, or
written, by the console.
"""

import os
import stat
from contextlib import ExitStack
from pathlib import Path


def open_below(folder: Path, name: str, flags: int = os.O_RDONLY) -> int:
    """A descriptor of a plain file, `name` below a folder of ours.

    Raises OSError where any part of the name is a link, or it is no file.
    """
    *parts, last = Path(name).parts
    with ExitStack() as opened:
        at = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
        opened.callback(os.close, at)
        for part in parts:
            at = os.open(part, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW, dir_fd=at)
            opened.callback(os.close, at)
        safe = flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
        descriptor = os.open(last, safe, 0o600, dir_fd=at)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(f"{folder / name} is no plain file")
    return descriptor
