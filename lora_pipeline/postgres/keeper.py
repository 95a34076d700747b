"""The keeper of the embedded PostgreSQL: owns the postmaster while it is in use.

Runs as a separate, isolated program (`python -I keeper.py …`), so it imports none of
our modules. The locks are described in `embedded.py`.
"""

from __future__ import annotations

import ctypes
import fcntl
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path

GRACE_SECONDS = 3.0
STOP_NOW = "stop_now"


def keep(root: Path, socket: Path, binaries: Path, account: Sequence[int]) -> int:
    """Run the postmaster until it has been unused for some seconds."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    alive = _take_alive(root / "alive.lock")
    if alive is None or runs_on(root / "data"):
        return 1
    for stale in (root / "data" / "postmaster.pid", *socket.glob(".s.PGSQL.*")):
        stale.unlink(missing_ok=True)
    users = os.open(root / "users.lock", os.O_RDWR | os.O_CREAT, 0o600)
    start = os.open(root / "start.lock", os.O_RDWR | os.O_CREAT, 0o600)
    server = _postmaster(root, socket, binaries, account, alive)
    while True:
        _watch(server, users, root / STOP_NOW, socket)
        if not (root / "data" / "PG_VERSION").exists():
            server.send_signal(signal.SIGINT)
            return server.wait()
        if server.poll() is not None:
            time.sleep(0.3)
            server = _postmaster(root, socket, binaries, account, alive)
        elif try_exclusive(start):
            if try_exclusive(users):
                server.send_signal(signal.SIGINT)
                return server.wait()
            fcntl.flock(start, fcntl.LOCK_UN)


def _take_alive(path: Path) -> int | None:
    """Take the lock that marks a running server; None if one is still running."""
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    for _ in range(100):
        if try_exclusive(descriptor):
            return descriptor
        time.sleep(0.1)
    return None


def runs_on(data: Path) -> bool:
    """Whether the process in the pid file is a server on these files.

    The lock says so first; it is a file, which somebody may have removed. Pids recycle:
    only a process whose folder this is counts.
    """
    try:
        pid = int((data / "postmaster.pid").read_text().split()[0])
        return Path(f"/proc/{pid}/cwd").samefile(data)
    except (OSError, ValueError, IndexError):
        return False


def _watch(
    server: subprocess.Popen[bytes], users: int, stop_now: Path, socket: Path
) -> None:
    """Returns when the server dies or has been unused for the grace period.

    One whose socket was removed (a cleaner of /tmp) is ended, to be started anew.
    """
    unused_since: float | None = None
    seen_at: float | None = None
    while server.poll() is None:
        if any(socket.glob(".s.PGSQL.*")):
            seen_at = time.monotonic()
        elif seen_at is not None and time.monotonic() - seen_at > GRACE_SECONDS:
            server.send_signal(signal.SIGINT)
            server.wait()
            return
        if not try_exclusive(users):
            unused_since = None
        else:
            fcntl.flock(users, fcntl.LOCK_UN)
            unused_since = unused_since or time.monotonic()
            grace = 0.0 if stop_now.exists() else GRACE_SECONDS
            if time.monotonic() - unused_since > grace:
                return
        time.sleep(0.1)


def _postmaster(
    root: Path, socket: Path, binaries: Path, account: Sequence[int], alive: int
) -> subprocess.Popen[bytes]:
    uid, gid = account or (None, None)
    data = str(root / "data")
    if not socket.is_dir():
        socket.mkdir(mode=0o700)
        if account:
            os.chown(socket, *account)
    return subprocess.Popen(  # noqa: S603 - the packaged server, folders of ours
        [str(binaries / "bin" / "postgres"), "-D", data, "-k", str(socket)],
        stdin=subprocess.DEVNULL,
        cwd=root,
        env=environment(),
        user=uid,
        group=gid,
        extra_groups=[] if account else None,
        pass_fds=[alive],
        preexec_fn=_stop_with_parent,
        start_new_session=True,
    )


def _stop_with_parent() -> None:
    """On Linux, a killed keeper also stops the postmaster (fast shutdown)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGINT)


def try_exclusive(descriptor: int) -> bool:
    """Take the lock if it is free; do not wait."""
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True


def environment() -> dict[str, str]:
    """The environment for PostgreSQL's programs."""
    return {"PATH": os.environ.get("PATH", os.defpath), "LC_ALL": "C", "TZ": "UTC"}


if __name__ == "__main__":
    root_, socket_, binaries_ = (Path(a) for a in sys.argv[1:4])
    sys.exit(keep(root_, socket_, binaries_, [int(a) for a in sys.argv[4:6]]))
