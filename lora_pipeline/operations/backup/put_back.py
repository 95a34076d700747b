"""Restores a backup over the current data."""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.utils.module_loading import import_string

from lora_pipeline.models import User
from lora_pipeline.operations.backup import postgres
from lora_pipeline.operations.backup.file_sets import areas
from lora_pipeline.operations.backup.manifest import (
    DATABASE,
    SECRET_KEY,
    BackupRefused,
    Manifest,
    read_manifest,
    verify,
)
from lora_pipeline.postgres import versions

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """The existing data that a restore would replace."""

    users: int
    files: int

    @property
    def is_empty(self) -> bool:
        return not (self.users or self.files)

    def __str__(self) -> str:
        return f"{self.users} users and {self.files} files"


def restore(source: Path, *, say: Say, replace: bool, dry_run: bool) -> Manifest:
    """Verify, print what will happen, write the files, then replace the database.

    In this order no row ever refers to a missing file, and an interrupted restore
    leaves the old database intact. Raises BackupRefused before any change: damaged
    backup, backup of a newer version, missing roles, running console or trainer, or
    existing data without `replace`.
    """
    manifest = read_manifest(source)
    say(f"backup of {manifest.created_at}: verifying {len(manifest.files)} files")
    verify(source, manifest)
    require_known(manifest)
    postgres.require_roles()
    found = what_is_here()
    _say_plan(manifest, found, say)
    require_own_database()
    require_disk_for(manifest)
    if dry_run:
        return manifest
    require_idle()
    if not found.is_empty and not replace:
        words = (
            f"Found {found} here. Use --replace to overwrite them, or restore elsewhere"
        )
        raise BackupRefused(f"{words} (LORA_PIPELINE_VAR, DATABASE_URL).")
    connection.close()
    _put_files(source, manifest)
    postgres.restore(source / DATABASE)
    _put_secret_key(source, say)
    return manifest


def _say_plan(manifest: Manifest, found: Found, say: Say) -> None:
    where = "the embedded database" if settings.DATABASE_EMBEDDED else "the database"
    size = manifest.total_bytes / 1e6
    say(f"here: {found}; {where} will be replaced, {size:.1f} MB of files written")
    for path in manifest.missing:
        say(f"warning: {path} was missing when the backup was made")


def require_known(manifest: Manifest) -> None:
    """Raises BackupRefused for a schema newer than this version."""
    known = {f"{app}.{name}" for app, name in versions.known()}
    if newer := sorted(set(manifest.migrations) - known):
        words = f"The backup has {newer[0]} and {len(newer) - 1} more"
        raise BackupRefused(
            f"{words}, which this version does not know. Install a newer version."
        )


def what_is_here() -> Found:
    """Users and files; an installation without either counts as empty."""
    tables = connection.introspection.table_names()
    users = User.objects.count() if User._meta.db_table in tables else 0
    return Found(users=users, files=sum(1 for area in areas() for _ in area.paths()))


def require_own_database() -> None:
    """Raises BackupRefused where a restore would replace another program's tables."""
    tables = connection.introspection.table_names()
    if tables and User._meta.db_table not in tables:
        raise BackupRefused(
            f"The database has {len(tables)} tables that are not this console's, such "
            f"as {sorted(tables)[0]}. A restore replaces the whole schema: give the "
            f"console a database of its own (DATABASE_URL)."
        )


def require_disk_for(manifest: Manifest) -> None:
    """Raises BackupRefused if the files do not fit beside those that are here.

    A restore that ends half way would leave rows without their files.
    """
    free = shutil.disk_usage(settings.VAR_DIR).free
    if not settings.S3_BUCKET and manifest.total_bytes > free:
        raise BackupRefused(
            f"The backup needs {manifest.total_bytes / 1e9:.1f} GB and "
            f"{settings.VAR_DIR} has {free / 1e9:.1f} GB free. Make room first."
        )


def require_idle() -> None:
    """Raises BackupRefused while the console or one of its trainers is running."""
    if count := postgres.other_sessions():
        raise BackupRefused(
            f"The database has {count} other connections. Stop the console first."
        )
    for function in settings.BACKUP_BUSY:
        if why := import_string(function)():
            raise BackupRefused(why)


def _put_files(source: Path, manifest: Manifest) -> None:
    for area in areas():
        for path in manifest.inside(area.name):
            with (source / area.name / path).open("rb") as file:
                area.put(path, file)


def _put_secret_key(source: Path, say: Say) -> None:
    """Restore the key file; a key from the environment takes precedence."""
    key = (source / SECRET_KEY).read_text()
    if os.environ.get("SECRET_KEY"):
        if key != settings.SECRET_KEY:
            say("warning: SECRET_KEY differs from the backup's: all must sign in again")
        return
    kept = Path(settings.VAR_DIR) / "secret_key"
    kept.touch(mode=0o600)
    kept.write_text(key)
