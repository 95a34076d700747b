"""Takes a backup while the console is running.

Files are written before the rows that refer to them and removed after those rows. So:
copy all files first, which may take long; then open a snapshot, copy any files it
refers to that the first pass missed, and dump it. If a file was removed between the
snapshot and its copy, take a new snapshot: the later passes are short.
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
from lora_pipeline.operations.backup.file_sets import Area, Version, areas
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
    """The files of one area that have been copied."""

    area: Area
    folder: Path
    entries: dict[str, Entry] = field(default_factory=dict)
    versions: dict[str, Version | None] = field(default_factory=dict)

    def bring(self, paths: Iterable[str]) -> list[str]:
        """Copy new and changed files; returns the missing ones."""
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
        """Delete copies of files that are gone and not in the snapshot."""
        for path in set(self.entries) - needed:
            if self.area.version(path) is None:
                (self.folder / path).unlink(missing_ok=True)
                del self.entries[path]


def back_up(
    target: Path, *, say: Callable[[str], object], with_files: bool = True
) -> Manifest:
    """Create the backup folder `target`, which gets its name once it is complete.

    Raises BackupRefused if the folder exists or a PostgreSQL program fails.
    """
    part = target.with_name(f"{target.name}.part")
    if target.exists() or part.exists():
        taken = target if target.exists() else part
        raise BackupRefused(f"{taken} already exists. Use a new folder.")
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
        say(f"warning: the database refers to {path}, which is missing")
    return manifest


def _dump_with_files(part: Path, copies: list[Copies]) -> Manifest:
    """Dump the snapshot and copy every file it refers to."""
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
    raise BackupRefused(
        "Files kept being removed while they were copied. Try again later."
    )


def _bring_named(copies: list[Copies]) -> list[str]:
    """Files in the snapshot that are missing and were never copied."""
    lost = []
    for copy in copies:
        name = copy.area.name
        named = list(_named(name))
        gone = copy.bring(named)
        lost += [f"{name}/{path}" for path in gone if path not in copy.entries]
        copy.forget_removed(set(named))
    return sorted(lost)


def _named(area: str) -> Iterator[str]:
    """The paths of an area that this transaction's rows refer to."""
    for function in settings.BACKUP_FILES.get(area, ()):
        yield from import_string(function)()


def applied_migrations() -> list[str]:
    """Applied migrations, as `app.name`."""
    applied = MigrationRecorder(connection).applied_migrations()
    return sorted(f"{app}.{name}" for app, name in applied)


def _keep_secret_key(part: Path, manifest: Manifest) -> None:
    """Back up the secret key: sessions and signatures depend on it."""
    path = part / SECRET_KEY
    path.touch(mode=0o600)
    path.write_text(str(settings.SECRET_KEY))
    manifest.files[SECRET_KEY] = describe(path)
