"""Taking a backup while everything runs.

Files are written before the rows that name them, and removed after those are gone. So:
copy everything first, which may take long; then open a snapshot, bring what it names
and the first pass lacks, and dump it. If a file was removed between the snapshot and
its copying, a new snapshot is taken: the second pass has little to do, so that is soon
won.
"""

import shutil
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder
from django.utils import timezone
from django.utils.module_loading import import_string

from lora_pipeline.operations.backup import postgres
from lora_pipeline.operations.backup.areas import Area, Version, areas
from lora_pipeline.operations.backup.manifest import (
    DATABASE,
    SECRET_KEY,
    BackupRefused,
    Entry,
    Manifest,
    copy_stream,
    describe,
)

SNAPSHOTS = 5


@dataclass(slots=True)
class Copies:
    """The files of one area, as far as they were copied."""

    area: Area
    folder: Path
    entries: dict[str, Entry] = field(default_factory=dict)
    versions: dict[str, Version | None] = field(default_factory=dict)

    def bring(self, paths: Iterable[str]) -> list[str]:
        """Copy those that are new or changed; returns those that are not there."""
        return [path for path in paths if not self._bring(path)]

    def _bring(self, path: str) -> bool:
        version = self.area.version(path)
        if version is None:
            return False
        if self.versions.get(path) == version:
            return True
        try:
            with self.area.open(path) as source:
                entry = copy_stream(source, self.folder / path)
        except FileNotFoundError:
            return False
        self.entries[path], self.versions[path] = entry, version
        return True

    def forget_removed(self, needed: set[str]) -> None:
        """Drop copies of what is neither there any more nor named by the snapshot."""
        for path in set(self.entries) - needed:
            if self.area.version(path) is None:
                (self.folder / path).unlink(missing_ok=True)
                del self.entries[path]


def back_up(
    target: Path, *, say: Callable[[str], object], with_files: bool = True
) -> Manifest:
    """Make the backup folder `target`, which appears under its name when it is whole.

    Raises BackupRefused when the folder exists or a program of PostgreSQL fails.
    """
    part = target.with_name(f"{target.name}.part")
    if target.exists() or part.exists():
        taken = target if target.exists() else part
        raise BackupRefused(f"{taken} exists: give the name of a new folder.")
    part.mkdir(parents=True, mode=0o700)
    try:
        manifest = _gather(part, say, with_files)
    except BaseException:
        shutil.rmtree(part, ignore_errors=True)
        raise
    manifest.write(part)
    part.rename(target)
    return manifest


def _gather(part: Path, say: Callable[[str], object], with_files: bool) -> Manifest:
    copies = [Copies(a, part / a.name) for a in areas()] if with_files else []
    for copy in copies:
        copy.bring(copy.area.paths())
        say(f"{copy.area.name}: {len(copy.entries)} files")
    manifest = _dump_with_files(part, copies)
    _keep_secret_key(part, manifest)
    for copy in copies:
        name = copy.area.name
        manifest.files |= {f"{name}/{p}": e for p, e in copy.entries.items()}
    for path in manifest.missing:
        say(f"warning: the database names {path}, which is not there")
    return manifest


def _dump_with_files(part: Path, copies: list[Copies]) -> Manifest:
    """The snapshot's dump, beside every file that it names."""
    known_missing: list[str] | None = None
    for _ in range(SNAPSHOTS):
        with postgres.snapshot() as name:
            manifest = Manifest(
                created_at=timezone.now().isoformat(), migrations=applied_migrations()
            )
            manifest.missing = _bring_named(copies)
            if not manifest.missing or manifest.missing == known_missing:
                postgres.dump(part / DATABASE, name)
                manifest.files[DATABASE] = describe(part / DATABASE)
                return manifest
        known_missing = manifest.missing
    raise BackupRefused("Files kept vanishing while they were copied: try again later.")


def _bring_named(copies: list[Copies]) -> list[str]:
    """What the snapshot names and is not there; a copy that was made once suffices."""
    lost = []
    for copy in copies:
        name = copy.area.name
        named = list(_named(name))
        gone = copy.bring(named)
        lost += [f"{name}/{path}" for path in gone if path not in copy.entries]
        copy.forget_removed(set(named))
    return sorted(lost)


def _named(area: str) -> Iterator[str]:
    """The paths of an area that the rows of this transaction name."""
    for function in settings.BACKUP_FILES.get(area, ()):
        yield from import_string(function)()


def applied_migrations() -> list[str]:
    """What brought the tables to where they are, as `app.name`."""
    applied = MigrationRecorder(connection).applied_migrations()
    return sorted(f"{app}.{name}" for app, name in applied)


def _keep_secret_key(part: Path, manifest: Manifest) -> None:
    """Sessions and signatures hang on it, so it belongs to what is kept."""
    path = part / SECRET_KEY
    path.touch(mode=0o600)
    path.write_text(str(settings.SECRET_KEY))
    manifest.files[SECRET_KEY] = describe(path)
