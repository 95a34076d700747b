"""The file areas of a backup: storage, unfinished uploads and run folders."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISREG
from typing import IO, Any, Protocol, cast

from django.conf import settings
from django.core.files.base import File
from django.core.files.storage import default_storage

from lora_pipeline.files.folders import files_below
from lora_pipeline.operations.backup.manifest import copy_stream

Version = tuple[Any, ...]

UPLOADS = re.compile(r"[^/]+\.part")
RUNS = re.compile(r"[^/]+/(checkpoints/checkpoint-[^/]+/.+|attempts/[^/]+/output\.log)")


class Area(Protocol):
    """A set of files, each under a relative path."""

    @property
    def name(self) -> str:
        """Its folder in a backup."""

    def paths(self) -> Iterator[str]:
        """Every file that exists now."""

    def version(self, path: str) -> Version | None:
        """A value that changes with the file; None if it is missing."""

    def open(self, path: str) -> IO[bytes]:
        """Open a file. Raises FileNotFoundError if it is missing."""

    def put(self, path: str, source: IO[bytes]) -> None:
        """Write a file, replacing an older one."""


class Storage:
    """Django's storage, wherever it keeps its files."""

    name = "storage"

    def paths(self) -> Iterator[str]:
        return self._below("")

    def _below(self, folder: str) -> Iterator[str]:
        try:
            folders, files = default_storage.listdir(folder)
        except FileNotFoundError:
            return
        head = f"{folder}/" if folder else ""
        yield from (f"{head}{name}" for name in files)
        for name in folders:
            yield from self._below(f"{head}{name}")

    def version(self, path: str) -> Version | None:
        try:
            return default_storage.size(path), default_storage.get_modified_time(path)
        except FileNotFoundError:
            return None

    def open(self, path: str) -> IO[bytes]:
        return cast(IO[bytes], default_storage.open(path))

    def put(self, path: str, source: IO[bytes]) -> None:
        default_storage.delete(path)
        if (saved := default_storage.save(path, File(source))) != path:
            raise OSError(
                f"{path} was stored as {saved}: another process is writing there."
            )


@dataclass(frozen=True, slots=True)
class Folder:
    """A local folder; only files whose whole path matches `wanted`."""

    name: str
    root: Path
    wanted: re.Pattern[str]

    def paths(self) -> Iterator[str]:
        found = (path.relative_to(self.root) for path in files_below(self.root))
        return (str(path) for path in found if self.wanted.fullmatch(str(path)))

    def version(self, path: str) -> Version | None:
        try:
            status = (self.root / path).stat()
        except FileNotFoundError:
            return None
        return (status.st_size, status.st_mtime_ns) if S_ISREG(status.st_mode) else None

    def open(self, path: str) -> IO[bytes]:
        return (self.root / path).open("rb")

    def put(self, path: str, source: IO[bytes]) -> None:
        copy_stream(source, self.root / path)


def areas() -> list[Area]:
    """All areas. Of run folders, only checkpoints and trainer output."""
    return [
        Storage(),
        Folder("uploads", Path(settings.UPLOAD_DIR), UPLOADS),
        Folder("runs", Path(settings.RUNS_DIR), RUNS),
    ]
