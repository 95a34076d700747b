"""The embedded database's files: made once, never removed.

Nothing here deletes a folder `data`. A new one is made beside it and gets its name when
it is whole, so that unfinished is only what still has the name `unfinished`, which no
server was ever started on. Whether a database is there is told by PG_VERSION and its
passwords, not by a marker of ours.
"""

import contextlib
import json
import os
import secrets
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

from lora_pipeline.files.durable import sync, sync_path
from lora_pipeline.postgres import binaries, refusals
from lora_pipeline.postgres.keeper import environment
from lora_pipeline.postgres.places import Places

NAME = "lora_pipeline"
USERS = ("postgres", NAME)
UNFINISHED = "unfinished"
CONFIGURATION = """
listen_addresses = ''
port = 5432
unix_socket_permissions = 0700
max_connections = 100
shared_buffers = 128MB
wal_level = minimal
max_wal_senders = 0
autovacuum_naptime = 30s
log_line_prefix = '%m [%p] '
"""


def find_or_make(places: Places) -> dict[str, str]:
    """The passwords by user of the database that is here, or of a new one.

    Raises DatabaseRefused for anything between the two, without touching it. The caller
    holds `start.lock`.
    """
    if is_cluster(places.data):
        require_version(places.data)
        return kept_passwords(places)
    if _has_files(places.data):
        raise refusals.not_a_database(places.data)
    if places.passwords.exists():
        raise refusals.lost_database(places.passwords, places.data)
    return make(places)


def is_cluster(data: Path) -> bool:
    """Whether this is a database's folder, in whatever state."""
    return (data / "PG_VERSION").is_file()


def _has_files(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def version_of(data: Path) -> str:
    """The major version that made these files, such as "18"."""
    return (data / "PG_VERSION").read_text().strip()


def require_version(data: Path) -> None:
    """Raises DatabaseRefused for files that our server cannot read."""
    if (found := version_of(data)) != binaries.MAJOR:
        raise refusals.other_version(data, found, binaries.MAJOR)


def make(places: Places) -> dict[str, str]:
    """Make a database where there is none; the rename of its folder makes it one."""
    passwords = {name: secrets.token_urlsafe(24) for name in USERS}
    initialise(places, passwords["postgres"])
    write_passwords(_new_passwords(places), passwords)
    (places.root / UNFINISHED).rename(places.data)
    sync_path(places.root)
    return kept_passwords(places)


def initialise(places: Places, password: str) -> None:
    """Make `unfinished`, on which no server has run yet."""
    unfinished = places.root / UNFINISHED
    shutil.rmtree(unfinished, ignore_errors=True)
    with _password_file(places, password) as password_file:
        options = ["--sync-method=syncfs", "--encoding=UTF8", "--no-locale"]
        options += ["--username=postgres", "--auth=scram-sha-256"]
        options += [f"--pwfile={password_file}"]
        run(places, "initdb", *options, "-D", str(unfinished))
    with (unfinished / "postgresql.conf").open("a") as file:
        file.write(CONFIGURATION)
        sync(file)


def kept_passwords(places: Places) -> dict[str, str]:
    """Raises DatabaseRefused if a database has no passwords."""
    new = _new_passwords(places)
    if new.exists() and not places.passwords.exists():
        new.rename(places.passwords)  # stopped between the two renames
        sync_path(new.parent)
    try:
        found: dict[str, str] = json.loads(places.passwords.read_text())
    except (FileNotFoundError, ValueError):
        raise refusals.lost_passwords(places.passwords, places.data) from None
    return found


def write_passwords(path: Path, passwords: dict[str, str]) -> None:
    """Write a file that only we read, whole and on disk when this returns."""
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(passwords, file)
        sync(file)


def _new_passwords(places: Places) -> Path:
    return places.passwords.with_suffix(".new")


@contextlib.contextmanager
def _password_file(places: Places, password: str) -> Iterator[Path]:
    path = places.root / f"initdb.{os.getpid()}"
    path.touch(mode=0o600)
    try:
        path.write_text(password)
        if places.uid is not None and places.gid is not None:
            os.chown(path, places.uid, places.gid)
        yield path
    finally:
        path.unlink()


def run(places: Places, program: str, *arguments: str, said: bytes = b"") -> None:
    """Run one of PostgreSQL's programs as its account, with `said` as its input.

    Raises ServerDidNotStart with the end of the log if it fails.
    """
    with places.log.open("ab") as log:
        code = subprocess.run(  # noqa: S603 - the packaged binaries, arguments of ours
            [str(places.binaries / "bin" / program), *arguments],
            input=said,
            stdout=log,
            stderr=log,
            cwd=places.root,
            env=environment(),
            user=places.uid,
            group=places.gid,
            extra_groups=[] if places.uid is not None else None,
        ).returncode
    if code:
        raise refusals.ServerDidNotStart(places.log)
