"""Starting the embedded server, and what it needs before its first use."""

import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psycopg
from psycopg import sql

from lora_pipeline.postgres import keeper, refusals
from lora_pipeline.postgres.cluster import NAME
from lora_pipeline.postgres.places import Places

PORT = 5432
START_SECONDS = 30.0


def bring_up(places: Places, passwords: dict[str, str]) -> None:
    """Adopt the server if it answers, else start it; its roles exist afterwards.

    Raises ServerDidNotStart with the end of the server's log.
    """
    if not answers(places, passwords):
        require_no_torn_copy(places.data)
        _start(places, passwords)
    _ensure_roles(places, passwords)


def answers(places: Places, passwords: dict[str, str]) -> bool:
    """Whether the server accepts connections; pids prove nothing, they recycle."""
    try:
        superuser(places, passwords).close()
    except psycopg.OperationalError:
        return False
    return True


def superuser(
    places: Places, passwords: dict[str, str], database: str = "postgres"
) -> "psycopg.Connection[tuple[Any, ...]]":
    """A connection that may do everything; for what no other role can."""
    return psycopg.connect(
        host=str(places.socket),
        port=PORT,
        user="postgres",
        password=passwords["postgres"],
        dbname=database,
        autocommit=True,
        connect_timeout=10,
    )


def require_no_torn_copy(data: Path) -> None:
    """Raises DatabaseRefused for files copied from a database that was running.

    Its pid file came along, and names the folder that it was copied from.
    """
    try:
        original = (data / "postmaster.pid").read_text().splitlines()[1]
    except (OSError, IndexError):
        return
    if Path(original, "PG_VERSION").is_file() and not data.samefile(original):
        raise refusals.copied_while_running(data, original)


def _start(places: Places, passwords: dict[str, str]) -> None:
    """Spawn a keeper and wait for its server; replaces one that gave up."""
    deadline = time.monotonic() + START_SECONDS
    process = _spawn_keeper(places)
    while not answers(places, passwords):
        if time.monotonic() > deadline:
            raise refusals.ServerDidNotStart(places.log)
        if process.poll() is not None:
            time.sleep(0.2)
            process = _spawn_keeper(places)
        time.sleep(0.01)


def _spawn_keeper(places: Places) -> "subprocess.Popen[bytes]":
    account = [] if places.uid is None else [str(places.uid), str(places.gid)]
    folders = [str(places.root), str(places.socket), str(places.binaries)]
    with places.log.open("ab") as log:
        return subprocess.Popen(  # noqa: S603 - a program of ours, folders of ours
            [sys.executable, "-I", keeper.__file__, *folders, *account],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd="/",
            start_new_session=True,
        )


def _ensure_roles(places: Places, passwords: dict[str, str]) -> None:
    """Create the three roles and the database where missing."""
    marker = places.data / "roles"
    if marker.exists():
        return
    with superuser(places, passwords) as server:
        known = {row[0] for row in server.execute("SELECT rolname FROM pg_roles")}
        for role in ("lp_web", "lp_operator"):
            if role not in known:
                server.execute(f"CREATE ROLE {role} NOLOGIN")
        if NAME not in known:
            server.execute(
                sql.SQL("CREATE ROLE {} LOGIN CREATEDB PASSWORD {}").format(
                    sql.Identifier(NAME), sql.Literal(passwords[NAME])
                )
            )
        grant = f"GRANT lp_web, lp_operator TO {NAME} WITH INHERIT FALSE, SET TRUE"
        server.execute(grant)
        found = server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [NAME])
        if found.fetchone() is None:
            server.execute(f"CREATE DATABASE {NAME} OWNER {NAME} TEMPLATE template0")
    marker.touch()
