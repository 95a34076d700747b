"""Whether this program and the tables of its database are of one version."""

from functools import cache

from django.db import Error, connection
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.recorder import MigrationRecorder

from lora_pipeline.postgres.refusals import NEWER_STATUS, DatabaseRefused

Migration = tuple[str, str]


@cache
def on_disk() -> frozenset[Migration]:
    """Read once: a running version's files do not change."""
    return frozenset(MigrationLoader(None).disk_migrations)


@cache
def known() -> frozenset[Migration]:
    """Those on disk, and those that one of them replaces."""
    migrations = MigrationLoader(None).disk_migrations.values()
    return on_disk() | {
        (app, name) for migration in migrations for app, name in migration.replaces
    }


def applied() -> frozenset[Migration]:
    """Raises django.db.Error without a database."""
    return frozenset(MigrationRecorder(connection).applied_migrations())


def missing() -> list[str]:
    """Migrations that the database still needs, as `app.name`."""
    return sorted(".".join(one) for one in on_disk() - applied())


def missing_words() -> str:
    """What to do about tables that are not there yet; empty if all are."""
    if not (found := missing()):
        return ""
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return (
        f"The database does not have {found[0]}{more} yet: run 'manage.py migrate' "
        "first, or start the console with 'manage.py up', which does."
    )


def newer() -> list[str]:
    """Migrations of a later version of this program that the database has."""
    apps = {app for app, _ in on_disk()}
    return sorted(".".join(one) for one in applied() - known() if one[0] in apps)


def require_known_database() -> None:
    """Raises DatabaseRefused if a newer program has changed the database.

    A program that does not know a column neither fills it nor keeps its rules.
    """
    if found := newer():
        raise DatabaseRefused(words_of(found), returncode=NEWER_STATUS)


def words_of(found: list[str]) -> str:
    """What to do about a database that is newer."""
    more = f" and {len(found) - 1} more" if len(found) > 1 else ""
    return (
        f"The database is newer than this program: it has {found[0]}{more}, which this "
        f"version does not know. Install the newer version, or restore a backup made "
        f"by this one."
    )


def are_apart() -> bool:
    """Whether the two differ either way; False if the database cannot say."""
    try:
        return bool(newer() or missing())
    except Error:
        return False
