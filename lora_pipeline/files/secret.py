"""A secret that is made once and kept in a file."""

import os
import secrets
from contextlib import suppress
from pathlib import Path

from lora_pipeline.files.closed import make_passable


def kept_secret(path: Path) -> str:
    """The file's content; made if there is no file, or one that was never written.

    It gets its name when it is whole: of two processes at once, both read the same.
    """
    with suppress(FileNotFoundError):
        if kept := path.read_text():
            return kept
        path.unlink()
    make_passable(path.parent)
    part = path.with_name(f"{path.name}.{secrets.token_hex(4)}")
    descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(50))
            file.flush()
            os.fsync(file.fileno())
        with suppress(FileExistsError):
            os.link(part, path)
    finally:
        part.unlink()
    return path.read_text()
