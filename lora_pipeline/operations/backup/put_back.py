"""Putting a backup in the place of what is here."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from django.conf import settings
from django.db import connection
from django.db.migrations.loader import MigrationLoader
from django.utils.module_loading import import_string

from lora_pipeline.models import User
from lora_pipeline.operations.backup import postgres
from lora_pipeline.operations.backup.areas import areas
from lora_pipeline.operations.backup.manifest import (
    DATABASE,
    SECRET_KEY,
    BackupRefused,
    Manifest,
    read_manifest,
    verify,
)

Say = Callable[[str], object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What the place holds that a restore would replace."""

    users: int
    files: int

    @property
    def is_empty(self) -> bool:
        return not (self.users or self.files)

    def __str__(self) -> str:
        return f"{self.users} users and {self.files} files"


def restore(source: Path, *, say: Say, replace: bool, dry_run: bool) -> Manifest:
    """Verify, say what will happen, write the files, then replace the database whole.

    In this order no row ever names a file that is not there yet, and what breaks off
    half-way leaves the old database as it was. Raises BackupRefused before anything is
    touched: a broken backup, one of a newer console, missing roles, a console or
    trainer that runs, or a place that is in use
    without `replace`.
    """
    manifest = read_manifest(source)
    say(f"backup of {manifest.created_at}: verifying {len(manifest.files)} files")
    verify(source, manifest)
    require_known(manifest)
    postgres.require_roles()
    found = what_is_here()
    _say_plan(manifest, found, say)
    if dry_run:
        return manifest
    require_idle()
    if not found.is_empty and not replace:
        words = f"There are {found} here: give --replace to lose them, or another place"
        raise BackupRefused(f"{words} (LORA_PIPELINE_VAR, DATABASE_URL).")
    connection.close()
    _put_files(source, manifest)
    postgres.restore(source / DATABASE)
    _put_secret_key(source, say)
    return manifest


def _say_plan(manifest: Manifest, found: Found, say: Say) -> None:
    where = "the embedded database" if settings.DATABASE_EMBEDDED else "the database"
    size = manifest.total_bytes / 1e6
    say(f"here: {found}; {where} is replaced, {size:.1f} MB in files are written")
    for path in manifest.missing:
        say(f"warning: {path} was not there when the backup was made")


def require_known(manifest: Manifest) -> None:
    """Raises BackupRefused for tables that this version does not know."""
    loader = MigrationLoader(None)
    known = {f"{app}.{name}" for app, name in loader.disk_migrations}
    replaced = {
        f"{app}.{name}"
        for migration in loader.disk_migrations.values()
        for app, name in migration.replaces
    }
    if newer := sorted(set(manifest.migrations) - known - replaced):
        words = f"The backup has tables of {newer[0]} and {len(newer) - 1} more"
        raise BackupRefused(f"{words}, which this version lacks: install a newer one.")


def what_is_here() -> Found:
    """Users and files; an installed console without either counts as empty."""
    tables = connection.introspection.table_names()
    users = User.objects.count() if User._meta.db_table in tables else 0
    return Found(users=users, files=sum(1 for area in areas() for _ in area.paths()))


def require_idle() -> None:
    """Raises BackupRefused while the console or a trainer of it runs."""
    if count := postgres.other_sessions():
        raise BackupRefused(
            f"{count} other connections use the database: stop the console first."
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
    """Into the place where one is made and kept; one given by the environment wins."""
    key = (source / SECRET_KEY).read_text()
    if os.environ.get("SECRET_KEY"):
        if key != settings.SECRET_KEY:
            say("warning: SECRET_KEY differs from the backup's: people sign in again")
        return
    kept = Path(settings.VAR_DIR) / "secret_key"
    kept.touch(mode=0o600)
    kept.write_text(key)
