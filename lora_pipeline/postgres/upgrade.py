"""Takes the embedded database over to PostgreSQL's next major version.

A dump of the old server is loaded into new files beside the old ones. Only when both
count the same rows do the new files get the name `data`; the old ones are kept.
"""

import contextlib
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from psycopg import Connection, sql

from lora_pipeline.files.durable import sync_path
from lora_pipeline.postgres import binaries, cluster, refusals, server
from lora_pipeline.postgres.keeper import environment
from lora_pipeline.postgres.maintenance import unused
from lora_pipeline.postgres.places import Places, reachable

Say = Callable[[str], object]
Counts = dict[str, int]
TABLES = """
    SELECT schemaname, tablename FROM pg_tables
    WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
"""


def upgrade(var_dir: Path, *, programs: Path | None, say: Say) -> Path | None:
    """Returns the folder that keeps the old files; None if there is nothing to do.

    `programs` is the folder of the old version's programs; without it, the wheel's.
    Raises DatabaseRefused while the console runs, or if anything fails: the database
    is then as it was.
    """
    with unused(var_dir) as places:
        found = cluster.version_of(places.data)
        if found == binaries.MAJOR:
            say(f"{places.data} is PostgreSQL {found} already: nothing to do.")
            return None
        old = _old_binaries(places, found, programs)
        say(f"PostgreSQL {found} to {binaries.MAJOR}: dumping {places.data}")
        passwords = cluster.kept_passwords(places)
        dump = places.root / f"dump-{found}.sql"
        before = _dump(replace(places, binaries=old), passwords, dump)
        say(f"loading {dump} ({dump.stat().st_size / 1e6:.1f} MB)")
        after = _load(places, passwords, dump)
        _require_same(before, after, places)
        kept = _swap(places, found)
        dump.unlink()
    say(f"{sum(after.values())} rows in {len(after)} tables. Old files: {kept}")
    return kept


def _old_binaries(places: Places, found: str, programs: Path | None) -> Path:
    if programs is not None:
        return programs.resolve().parent
    try:
        return reachable(binaries.packaged(found), places.root, places.uid)
    except KeyError:
        raise refusals.DatabaseRefused(
            f"The programs of PostgreSQL {found} are not installed with this console. "
            f"Give their folder: 'manage.py database upgrade --programs "
            f"/usr/lib/postgresql/{found}/bin'."
        ) from None


def _dump(places: Places, passwords: dict[str, str], target: Path) -> Counts:
    """Write all roles and databases of the old server; returns its row counts."""
    with _running(places, places.data, passwords):
        with target.open("wb") as file:
            target.chmod(0o600)
            _tool(places, passwords, "pg_dumpall", stdout=file)
        return _rows(places, passwords)


def _load(places: Places, passwords: dict[str, str], dump: Path) -> Counts:
    """Load a dump into new files named `unfinished`; returns their row counts."""
    cluster.initialise(places, passwords["postgres"])
    with _running(places, places.root / cluster.UNFINISHED, passwords):
        quiet = ["--quiet", "--no-psqlrc", "--set=ON_ERROR_STOP=1", "postgres"]
        script = b"".join(
            line
            for line in dump.read_bytes().splitlines(keepends=True)
            if line.strip() != b"CREATE ROLE postgres;"  # initdb made it
        )
        _tool(places, passwords, "psql", *quiet, said=script)
        return _rows(places, passwords)


def _require_same(before: Counts, after: Counts, places: Places) -> None:
    if before != after:
        other = sorted(
            name
            for name in before.keys() | after.keys()
            if before.get(name) != after.get(name)
        )
        raise refusals.DatabaseRefused(
            f"The copy differs in {', '.join(other[:5])}, so {places.data} stays as it "
            f"is. The copy is in {places.root / cluster.UNFINISHED}."
        )


def _swap(places: Places, found: str) -> Path:
    now = datetime.now(UTC)
    kept = places.root / f"data-{found}-{now:%Y%m%d-%H%M%S}"
    places.data.rename(kept)
    (places.root / cluster.UNFINISHED).rename(places.data)
    sync_path(places.root)
    return kept


@contextlib.contextmanager
def _running(places: Places, data: Path, passwords: dict[str, str]) -> Iterator[None]:
    """A server on these files inside the block, stopped in order afterwards."""
    program = str(places.binaries / "bin" / "postgres")
    with places.log.open("ab") as log:
        started = subprocess.Popen(  # noqa: S603 - PostgreSQL's server, folders of ours
            [program, "-D", str(data), "-k", str(places.socket)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=places.root,
            env=environment(),
            user=places.uid,
            group=places.gid,
            extra_groups=[] if places.uid is not None else None,
        )
    try:
        deadline = time.monotonic() + server.START_SECONDS
        while not server.answers(places, passwords):
            if started.poll() is not None or time.monotonic() > deadline:
                raise refusals.ServerDidNotStart(places.log)
            time.sleep(0.05)
        yield
    finally:
        started.send_signal(signal.SIGINT)
        started.wait()


def _tool(
    places: Places,
    passwords: dict[str, str],
    program: str,
    *arguments: str,
    said: bytes = b"",
    stdout: IO[bytes] | None = None,
) -> None:
    """Run a client of our own version. Raises DatabaseRefused with its words."""
    where = ["--host", str(places.socket), "--username", "postgres"]
    done = subprocess.run(  # noqa: S603 - PostgreSQL's own programs, folders of ours
        [str(binaries.programs() / program), *where, *arguments],
        input=said,
        stdout=stdout or subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "PGPASSWORD": passwords["postgres"], "LC_ALL": "C"},
    )
    if done.returncode:
        words = done.stderr.decode(errors="replace").strip()[-1500:]
        raise refusals.DatabaseRefused(
            f"{program} failed; the old files are as they were: {words}"
        )


def _rows(places: Places, passwords: dict[str, str]) -> Counts:
    """The rows of every table of the console's database."""
    with server.superuser(places, passwords, cluster.NAME) as session:
        return {
            f"{schema}.{table}": _count(session, sql.Identifier(schema, table))
            for schema, table in session.execute(TABLES).fetchall()
        }


def _count(session: "Connection[tuple[Any, ...]]", table: sql.Identifier) -> int:
    found = session.execute(sql.SQL("SELECT count(*) FROM {}").format(table))
    return int(next(iter(found))[0])
