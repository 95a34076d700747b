"""Checks the installation and says how to fix what is wrong."""

import shutil
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings
from django.core import checks, mail
from django.core.files.storage import storages
from django.db import DatabaseError, connection
from django.utils.module_loading import import_string

from lora_pipeline.operations import growth, health, reachability, safety
from lora_pipeline.operations.backup.manifest import BackupRefused
from lora_pipeline.operations.backup.postgres import OWN, require_roles
from lora_pipeline.operations.diagnosis import Check, Finding, fault, ok, warning
from lora_pipeline.postgres import versions
from lora_pipeline.postgres.places import existing_root
from lora_pipeline.postgres.refusals import DatabaseRefused

LOW_BYTES, FULL_BYTES = 10 * 1024**3, 1024**3

OPEN_TO_OTHERS = {"static"}  # nginx reads them
CLOCK_SECONDS = 2.0
FULL_SHARE = 0.8
CONNECTIONS = """
    SELECT count(*), current_setting('max_connections')::int
        - current_setting('superuser_reserved_connections')::int
    FROM pg_stat_activity WHERE datname IS NOT NULL AND usename IS NOT NULL
"""
MOST_WORDS = 300


def examine() -> Iterator[Finding]:
    """Every finding, in order. A check that crashes is itself a finding."""
    words = health.database()
    yield _database(words)
    for check in [*CHECKS, *_added()]:
        if words and check.needs_database:
            continue
        try:
            yield from check.ask()
        except Exception as error:
            name = check.ask.__name__.strip("_")
            said = " ".join(str(error).split())[:MOST_WORDS]
            yield fault(name, f"check failed: {said}", "see the message")


def _added() -> Iterator[Check]:
    for path in settings.DOCTOR_CHECKS:
        yield from import_string(path)


def _database(words: str) -> Finding:
    if not words:
        return ok("database", _database_words())
    try:
        connection.ensure_connection()
    except DatabaseRefused as refused:
        return fault("database", str(refused), "see the message")
    except DatabaseError:
        pass
    return fault("database", words, "start it, or fix DATABASE_URL")


def _database_words() -> str:
    kind = "external server"
    if settings.DATABASE_EMBEDDED:
        kind = f"embedded, in {existing_root(Path(settings.VAR_DIR).resolve(), None)}"
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return f"PostgreSQL {cursor.fetchone()[0]}, {kind}, answers"


def _roles() -> Iterator[Finding]:
    try:
        require_roles()
    except BackupRefused as refused:
        yield fault("roles", str(refused), "create them, as described in the README")
        return
    found = checks.run_checks(tags=[checks.Tags.database], databases=["default"])
    for one in found:
        words = " ".join(str(one.msg).split())
        yield fault("roles", words, one.hint or "see the message")
    if not found:
        yield ok("roles", "both roles and all policies exist")


def _connections() -> Iterator[Finding]:
    """Whether the server has connections left: who finds none gets a 503."""
    with connection.cursor() as cursor:
        cursor.execute(CONNECTIONS)
        used, most = cursor.fetchone()
    words = f"{used} of {most} connections are in use"
    if used > FULL_SHARE * most:
        remedy = "raise max_connections, or start fewer web processes and threads"
        yield warning("connections", words, remedy)
    else:
        yield ok("connections", words)


def _backup_programs() -> Iterator[Finding]:
    """Whether pg_dump can reach a server over TLS: the installed one cannot."""
    connection.ensure_connection()
    if connection.connection.pgconn.ssl_in_use and not settings.POSTGRES_PROGRAMS:
        yield warning("backup", "the server is reached over TLS, pg_dump is not", OWN)


def _migrations() -> Iterator[Finding]:
    if newer := versions.newer():
        yield fault("migrations", versions.words_of(newer), "see the message")
    elif words := health.migrations():
        yield fault("migrations", words, "manage.py migrate")
    else:
        yield ok("migrations", "all applied, and none that this version lacks")


def _processes() -> Iterator[Finding]:
    known = health.checks()
    for name, command in (("worker", "work"), ("reconciler", "reconcile")):
        words, remedy = known[name](), f"start manage.py up, or manage.py {command}"
        yield fault(name, words, remedy) if words else ok(name, "works")


def _storage() -> Iterator[Finding]:
    kind = type(storages["default"]).__name__
    words = health.storage()
    yield (
        fault("storage", words, "check its permissions, free space and settings")
        if words
        else ok("storage", f"{kind}: write, read and delete work")
    )


def _mail() -> Iterator[Finding]:
    if not settings.EMAIL_HOST:
        yield ok("mail", "EMAIL_HOST is not set: notifications stay in the console")
        return
    try:
        server = mail.get_connection()
        server.open()
        server.close()
    except OSError as error:
        words = (
            f"cannot connect to {settings.EMAIL_HOST}:{settings.EMAIL_PORT}: {error}"
        )
        yield fault("mail", words, "check the EMAIL_… settings")
    else:
        yield ok("mail", f"signed in to {settings.EMAIL_HOST}")


def _settings() -> Iterator[Finding]:
    """Django's system checks, including those for production."""
    found = checks.run_checks(include_deployment_checks=True)
    for one in found:
        remedy = one.hint or "see the message"
        is_fault = one.level >= checks.ERROR
        words = " ".join(str(one.msg).split())
        yield (fault if is_fault else warning)("settings", words, remedy)
    if not found:
        yield ok("settings", "pass Django's deployment checks")


def _clock() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        theirs: datetime = cursor.fetchone()[0]
    apart = abs((datetime.now(UTC) - theirs).total_seconds())
    words = f"{apart:.1f} s off from the database server"
    remedy = "synchronise both with NTP"
    yield (
        warning("clock", words, remedy) if apart > CLOCK_SECONDS else ok("clock", words)
    )


def disks() -> Iterator[Finding]:
    """Free disk space where files grow."""
    for part, folder in (
        ("storage", settings.STORAGE_DIR),
        ("runs", settings.RUNS_DIR),
        ("uploads", settings.UPLOAD_DIR),
        ("models", settings.MODELS_DIR),
    ):
        free = shutil.disk_usage(folder).free
        words = f"{part}: {free / 1e9:.1f} GB free in {folder}"
        remedy = (
            "free some space; manage.py clean_up --dry-run shows what can be removed"
        )
        if free >= LOW_BYTES:
            yield ok("disk", words)
        else:
            level = fault if free < FULL_BYTES else warning
            yield level("disk", words, remedy)


def rights() -> Iterator[Finding]:
    """Whether others on this machine can read what the console keeps."""
    var = Path(settings.VAR_DIR)
    kept = [path for path in sorted(var.iterdir()) if path.name not in OPEN_TO_OTHERS]
    read = [path for path in kept if not path.is_symlink() and _others_read(path)]
    if read:
        names = " ".join(map(str, read))
        yield warning("rights", f"others can read {names}", f"chmod -R o-rwx {names}")
    else:
        yield ok("rights", f"nobody else reads what is in {var}")


def _others_read(path: Path) -> bool:
    return bool(path.stat().st_mode & 0o004)


CHECKS = [
    Check(_roles, needs_database=True),
    Check(_connections, needs_database=True),
    Check(_backup_programs, needs_database=True),
    Check(_migrations, needs_database=True),
    Check(_processes, needs_database=True),
    Check(_storage),
    Check(disks),
    Check(rights),
    Check(_mail),
    Check(_settings),
    Check(_clock, needs_database=True),
    *safety.CHECKS,
    *reachability.CHECKS,
    *growth.CHECKS,
]
