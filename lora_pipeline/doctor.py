"""What is in order here and what is not, in plain words, with what to do."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from django.conf import settings
from django.core import checks, mail
from django.core.files.storage import storages
from django.db import connection

from lora_pipeline import doctor_machine, health
from lora_pipeline.backup.manifest import BackupRefused
from lora_pipeline.backup.postgres import require_roles
from lora_pipeline.finding import Finding, fault, ok, warning
from training.models import Machine

CLOCK_SECONDS = 2.0
MOST_WORDS = 300
PROTECTED = ("datasets", "training_jobs")


@dataclass(frozen=True, slots=True)
class Check:
    """One question; those that need the database are not asked without it."""

    ask: Callable[[], Iterator[Finding]]
    needs_database: bool = False


def examine() -> Iterator[Finding]:
    """Every finding, in order. A check that breaks is itself a finding."""
    words = health.database()
    yield (
        fault("database", words, "start it, or mend DATABASE_URL")
        if words
        else ok("database", _database_words())
    )
    for check in CHECKS:
        if words and check.needs_database:
            continue
        try:
            yield from check.ask()
        except Exception as error:
            name = check.ask.__name__.strip("_")
            said = " ".join(str(error).split())[:MOST_WORDS]
            yield fault(name, f"could not be asked: {said}", "see the message")


def _database_words() -> str:
    kind = "embedded" if settings.DATABASE_EMBEDDED else "a server of yours"
    with connection.cursor() as cursor:
        cursor.execute("SHOW server_version")
        return f"PostgreSQL {cursor.fetchone()[0]}, {kind}, answers"


def _roles() -> Iterator[Finding]:
    try:
        require_roles()
    except BackupRefused as refused:
        yield fault("roles", str(refused), "make them, as the README says")
        return
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class WHERE relrowsecurity"
            " AND relnamespace = 'public'::regnamespace"
        )
        found = {row[0] for row in cursor.fetchall()}
    if missing := [table for table in PROTECTED if table not in found]:
        words = f"row-level security is off for {', '.join(missing)}"
        yield fault("roles", words, "manage.py migrate")
    else:
        yield ok("roles", f"both roles; {len(found)} tables with row-level security")


def _migrations() -> Iterator[Finding]:
    words = health.migrations()
    yield (
        fault("migrations", words, "manage.py migrate")
        if words
        else ok("migrations", "all are applied")
    )


def _processes() -> Iterator[Finding]:
    asked: list[tuple[str, Callable[[], str], str]] = [
        ("worker", health.worker, "work"),
        ("reconciler", health.reconciler, "reconcile"),
    ]
    for name, check, command in asked:
        words, remedy = check(), f"start manage.py up, or manage.py {command}"
        yield fault(name, words, remedy) if words else ok(name, "works")


def _draining() -> Iterator[Finding]:
    for machine in Machine.objects.exclude(draining_since=None):
        since = f"{machine.draining_since:%Y-%m-%d %H:%M} ({machine.drained_by})"
        words = f"{machine} starts no new runs since {since}"
        remedy = f"manage.py drain --undo --machine {machine}"
        yield warning("drain", words, remedy)


def _storage() -> Iterator[Finding]:
    kind = type(storages["default"]).__name__
    words = health.storage()
    yield (
        fault("storage", words, "see to its rights, room or settings")
        if words
        else ok("storage", f"{kind} writes, reads and removes")
    )


def _mail() -> Iterator[Finding]:
    if not settings.EMAIL_HOST:
        yield ok("mail", "no EMAIL_HOST: notices stay in the console")
        return
    try:
        server = mail.get_connection()
        server.open()
        server.close()
    except OSError as error:
        words = f"{settings.EMAIL_HOST}:{settings.EMAIL_PORT} refused us: {error}"
        yield fault("mail", words, "see to the EMAIL_… settings")
    else:
        yield ok("mail", f"{settings.EMAIL_HOST} takes our sign-in")


def _settings() -> Iterator[Finding]:
    """Django's own checks, those for production too."""
    found = checks.run_checks(include_deployment_checks=True)
    for one in found:
        remedy = one.hint or "see the message"
        is_fault = one.level >= checks.ERROR
        words = " ".join(str(one.msg).split())
        yield (fault if is_fault else warning)("settings", words, remedy)
    if not found:
        yield ok("settings", "nothing against them in production")


def _clock() -> Iterator[Finding]:
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        theirs: datetime = cursor.fetchone()[0]
    apart = abs((datetime.now(UTC) - theirs).total_seconds())
    words = f"{apart:.1f} s apart from the database's"
    remedy = "let both keep time by NTP"
    yield (
        warning("clock", words, remedy) if apart > CLOCK_SECONDS else ok("clock", words)
    )


CHECKS = [
    Check(_roles, needs_database=True),
    Check(_migrations, needs_database=True),
    Check(_processes, needs_database=True),
    Check(_draining, needs_database=True),
    Check(_storage),
    Check(doctor_machine.disks),
    Check(doctor_machine.models, needs_database=True),
    Check(doctor_machine.trainer),
    Check(_mail),
    Check(_settings),
    Check(_clock, needs_database=True),
]
