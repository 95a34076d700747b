"""Database dump and restore by PostgreSQL's own tools, each in one transaction."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import IO

from django.conf import settings
from django.db import connection, transaction
from psycopg.conninfo import make_conninfo

from lora_pipeline.operations.backup.manifest import BackupRefused
from lora_pipeline.postgres import embedded

ROLES = ("lp_web", "lp_operator")
OLD_SERVERS_LACK = b"SET transaction_timeout"
NO_TLS = b"SSL support is not compiled in"
OWN = (
    "Set POSTGRES_PROGRAMS to the folder of your server's own pg_dump, pg_restore and "
    "psql, such as /usr/lib/postgresql/18/bin: those installed with the console have "
    "no TLS."
)
EMPTY = """
DROP SCHEMA public CASCADE;
CREATE SCHEMA public AUTHORIZATION pg_database_owner;
GRANT USAGE ON SCHEMA public TO PUBLIC;
"""
# A trainer started after the backup may still be running: revoke its token.
FENCE = """
UPDATE public.run_attempts SET token_hash = 'restored ' || id WHERE ended_at IS NULL;
"""


@contextmanager
def snapshot() -> Iterator[str]:
    """A snapshot transaction; its name lets other sessions see the same snapshot."""
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ")
        cursor.execute("SELECT pg_export_snapshot()")
        yield str(cursor.fetchone()[0])


def dump(target: Path, snapshot_name: str) -> None:
    """Tables, rows, sequences, policies and grants, as the snapshot has them."""
    options = ["--format=custom", "--no-owner", f"--snapshot={snapshot_name}"]
    target.touch(mode=0o600)
    _run("pg_dump", *options, f"--file={target}", f"--dbname={_where()}")


def restore(source: Path) -> None:
    """Replace the database with the dump, atomically."""
    listed = _run("pg_restore", "--list", str(source))
    wanted = source.with_name("database.list")
    lines = [line for line in listed.splitlines() if b" DEFAULT ACL " not in line]
    wanted.write_bytes(b"\n".join(lines))
    options = ["--no-owner", f"--use-list={wanted}", "--file=-", str(source)]
    reading = _start("pg_restore", *options, stdout=subprocess.PIPE)
    quiet = ["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "--output=/dev/null"]
    whole = ["--single-transaction", "--file=-", f"--dbname={_where()}"]
    writing = _start("psql", *quiet, *whole, stdin=subprocess.PIPE)
    assert reading.stdout is not None  # noqa: S101 - a pipe was asked for
    assert writing.stdin is not None  # noqa: S101 - a pipe was asked for
    try:
        _send(reading.stdout, writing.stdin)
    except BrokenPipeError:
        reading.kill()
    wanted.unlink()
    _ended("psql", writing)
    _ended("pg_restore", reading)


def _send(script: IO[bytes], target: IO[bytes]) -> None:
    """The dump's script, preceded by emptying the schema, followed by fencing old runs.

    Servers before PostgreSQL 17 do not know one of the settings at its start.
    """
    with target:
        target.write(EMPTY.encode())
        for line in script:
            if not line.startswith(OLD_SERVERS_LACK):
                target.write(line)
            if line.startswith(b"COPY "):
                break
        shutil.copyfileobj(script, target)
        target.write((default_privileges() + FENCE).encode())


def default_privileges() -> str:
    """Default privileges, set again because a dump ties them to its old owner."""
    grants = import_module("lora_pipeline.migrations.0002_rules").GRANTS
    return "".join(f"{s};\n" for s in grants.split(";") if "DEFAULT PRIVILEGES" in s)


def require_roles() -> None:
    """Raises BackupRefused unless both roles exist and the login role can set them."""
    with connection.cursor() as cursor:
        roles = "SELECT rolname FROM pg_roles WHERE rolname = ANY(%s)"
        cursor.execute(roles, [list(ROLES)])
        known = {row[0] for row in cursor.fetchall()}
    if missing := [role for role in ROLES if role not in known]:
        raise BackupRefused(
            f"The server lacks the roles {', '.join(missing)}. Create them once as the "
            f"README describes under Settings, and try again."
        )


def other_sessions() -> int:
    """Other connections to this database."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()"
            " AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        )
        return int(cursor.fetchone()[0])


def _where() -> str:
    """Connection arguments without the password, which goes through the environment."""
    given = connection.settings_dict
    known = {k: v for k, v in given["OPTIONS"].items() if k != "assume_role"}
    options = {k: str(v) for k, v in known.items() if isinstance(v, str | int)}
    return make_conninfo(
        host=given["HOST"] or None,
        port=given["PORT"] or None,
        dbname=given["NAME"],
        user=given["USER"] or None,
        **options,
    )


def _start(
    program: str, *arguments: str, stdin: int | None = None, stdout: int | None = None
) -> "subprocess.Popen[bytes]":
    folder = Path(settings.POSTGRES_PROGRAMS or embedded.programs())
    password = {"PGPASSWORD": connection.settings_dict["PASSWORD"]}
    return subprocess.Popen(  # noqa: S603 - PostgreSQL's own programs, an operator's paths
        [str(folder / program), *arguments],
        stdin=stdin or subprocess.DEVNULL,
        stdout=stdout,
        stderr=subprocess.PIPE,
        env={**os.environ, **password, "LC_ALL": "C"},
    )


def _run(program: str, *arguments: str) -> bytes:
    started = _start(program, *arguments, stdout=subprocess.PIPE)
    output, errors = started.communicate()
    _judge(program, started.returncode, errors)
    return output


def _ended(program: str, started: "subprocess.Popen[bytes]") -> None:
    assert started.stderr is not None  # noqa: S101 - a pipe was asked for
    with started.stderr as errors:
        said = errors.read()
    _judge(program, started.wait(), said)


def _judge(program: str, status: int, errors: bytes) -> None:
    if NO_TLS in errors:
        raise BackupRefused(f"{program} cannot speak TLS; nothing was changed. {OWN}")
    if status:
        words = errors.decode(errors="replace").strip()[-1500:]
        raise BackupRefused(f"{program} failed; nothing was changed: {words}")
