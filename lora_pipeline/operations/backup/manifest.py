"""The manifest of a backup: time, version and each file's checksum."""

import hashlib
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

NAME = "manifest.json"
DATABASE = "database.dump"
SECRET_KEY = "secret_key"  # noqa: S105 - the name of its file
LAYOUT = 1
PIECE_BYTES = 1024 * 1024


class BackupRefused(Exception):
    """The backup or restore is not possible; the message says what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One file of the backup."""

    size_bytes: int
    sha256: str


@dataclass(slots=True, kw_only=True)
class Manifest:
    """Describes a backup."""

    created_at: str
    migrations: list[str]
    files: dict[str, Entry] = field(default_factory=dict)
    missing: list[str] = field(default_factory=list)
    layout: int = LAYOUT

    def write(self, folder: Path) -> None:
        """Write the manifest next to its files."""
        text = json.dumps(asdict(self), indent=1, sort_keys=True)
        (folder / NAME).write_text(text)

    @property
    def total_bytes(self) -> int:
        return sum(entry.size_bytes for entry in self.files.values())

    def inside(self, area: str) -> Iterator[str]:
        """Paths of one area's files, as the area names them."""
        head = f"{area}/"
        return (name[len(head) :] for name in self.files if name.startswith(head))


def read_manifest(folder: Path) -> Manifest:
    """Raises BackupRefused unless the folder is a complete backup of this layout."""
    try:
        found: dict[str, Any] = json.loads((folder / NAME).read_text())
        found["files"] = {name: Entry(**e) for name, e in found["files"].items()}
        manifest = Manifest(**found)
    except (OSError, ValueError, TypeError, KeyError) as error:
        words = (
            f"{folder} is not a complete backup: its {NAME} cannot be read ({error})."
        )
        raise BackupRefused(words) from None
    if manifest.layout != LAYOUT:
        words = f"The backup has layout {manifest.layout}; this console reads {LAYOUT}."
        raise BackupRefused(words)
    return manifest


def verify(folder: Path, manifest: Manifest) -> None:
    """Raises BackupRefused if a file is missing, truncated, changed or outside."""
    faults = []
    for name, entry in manifest.files.items():
        path = folder / name
        if not path.resolve().is_relative_to(folder.resolve()):
            faults.append(f"{name} is outside the backup")
        elif not path.is_file():
            faults.append(f"{name} is missing")
        elif path.stat().st_size != entry.size_bytes or _sha256(path) != entry.sha256:
            faults.append(f"{name} does not match its checksum")
    if faults:
        shown = "; ".join(faults[:5])
        raise BackupRefused(
            f"{len(faults)} files are damaged: {shown}. Use another backup."
        )


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def describe(path: Path) -> Entry:
    """Size and checksum of a file just written."""
    return Entry(size_bytes=path.stat().st_size, sha256=_sha256(path))


def copy_stream(source: IO[bytes], target: Path) -> Entry:
    """Write a stream to a new file that only this account can read."""
    digest, size = hashlib.sha256(), 0
    target.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    target.unlink(missing_ok=True)
    with target.open("xb") as file:
        target.chmod(0o600)
        while piece := source.read(PIECE_BYTES):
            digest.update(piece)
            size += file.write(piece)
    return Entry(size_bytes=size, sha256=digest.hexdigest())
