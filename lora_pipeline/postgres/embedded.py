"""The embedded PostgreSQL server; it runs as long as a process of ours uses it.

It relies on three locks. Every process that uses the server holds `users.lock` shared;
a small detached keeper owns the postmaster and stops it some seconds after that lock is
free. The postmaster inherits `alive.lock`: while it is held, a server may be running
and nobody touches its files. `start.lock` lets one process at a time start or stop it.
A lock ends with its process, however that ends; a pid file does not.
"""

import contextlib
import fcntl
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from lora_pipeline.postgres import cluster, server
from lora_pipeline.postgres.binaries import programs
from lora_pipeline.postgres.cluster import NAME
from lora_pipeline.postgres.keeper import STOP_NOW, try_exclusive
from lora_pipeline.postgres.places import Places, find_places

__all__ = ["Connection", "Places", "find_places", "hold", "let_go", "programs"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Connection:
    """How to reach the server: `host` is the folder of its socket."""

    host: str
    port: int
    name: str
    user: str
    password: str


@cache
def hold(var_dir: Path) -> Connection:
    """Start or adopt the server of this var folder for the life of this process.

    Raises DatabaseRefused where the folder's state asks for a person, ServerDidNotStart
    with the end of the server's log.
    """
    places = find_places(var_dir.resolve())
    with locked(places.root / "start.lock"):
        _hold_open(places.root / "users.lock")
        (places.root / STOP_NOW).unlink(missing_ok=True)
        passwords = cluster.find_or_make(places)
        server.bring_up(places, passwords)
    return Connection(
        host=str(places.socket),
        port=server.PORT,
        name=NAME,
        user=NAME,
        password=passwords[NAME],
    )


def let_go(var_dir: Path, seconds: float = 2.0) -> None:
    """Stop using the server; it stops at once if no other process uses it.

    Returns when it has stopped, or after the timeout.
    """
    root = find_places(var_dir.resolve()).root
    (root / STOP_NOW).touch()
    while _held:
        os.close(_held.pop())
    hold.cache_clear()
    has_stopped(root, seconds)


def has_stopped(root: Path, seconds: float) -> bool:
    """Wait until no server runs on these files."""
    descriptor = os.open(root / "alive.lock", os.O_RDWR | os.O_CREAT, 0o600)
    deadline = time.monotonic() + seconds
    try:
        while not (free := try_exclusive(descriptor)) and time.monotonic() < deadline:
            time.sleep(0.05)
        return free
    finally:
        os.close(descriptor)


@contextlib.contextmanager
def locked(path: Path) -> Iterator[None]:
    """Hold a lock file inside the block; waits for it."""
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
