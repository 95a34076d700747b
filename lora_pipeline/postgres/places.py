"""Where the embedded server's files are, and whose they are.

They are in `var/postgres`. As root, whose server runs as another account, a folder that
this account cannot enter (a clone in root's home) keeps a link there to a folder of its
own in `SHELTER`, which no cleaner empties; the link moves with `var`.
"""

import contextlib
import os
import pwd
import secrets
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from lora_pipeline.files.closed import make_passable
from lora_pipeline.postgres import binaries, refusals

SHELTER = Path("/var/lib/lora-pipeline-databases")
LINK, PASSWORDS, NOTE = "postgres", "postgres-passwords.json", "console"
SERVER_ACCOUNT = "nobody"
SOCKET_PATH_LIMIT = 90


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


def find_places(var_dir: Path) -> Places:
    """The server's folders for a var folder, created where there never was a database.

    Raises DatabaseRefused where there was one that cannot be found or entered.
    """
    uid, gid = server_account()
    make_passable(var_dir)
    passwords = var_dir / PASSWORDS
    root = existing_root(var_dir, uid)
    if root is None:
        if passwords.exists():
            raise refusals.lost_database(passwords, var_dir / LINK / "data")
        root = _new_root(var_dir, uid)
    make_private(root, uid, gid)
    socket = _socket_of(root)
    make_private(socket, uid, gid)
    return Places(
        root=root,
        socket=socket,
        binaries=reachable(binaries.packaged(), root, uid),
        passwords=passwords,
        uid=uid,
        gid=gid,
    )


def server_account() -> tuple[int | None, int | None]:
    """PostgreSQL refuses to run as root; everybody else runs it themselves."""
    if os.getuid() != 0:
        return None, None
    account = pwd.getpwnam(SERVER_ACCOUNT)
    return account.pw_uid, account.pw_gid


def existing_root(var_dir: Path, uid: int | None) -> Path | None:
    """Where this var folder keeps its database; None if it never had one.

    Raises DatabaseRefused if that folder is gone, closed or another console's.
    """
    link = var_dir / LINK
    if link.is_symlink():
        root = link.resolve()
        if not root.is_dir():
            raise refusals.lost_shelter(link, root)
        _claim(root, var_dir)
    elif link.is_dir():
        root = link
    else:
        return None
    if uid is not None and (closed := closed_folders(root.parent)):
        raise refusals.closed_off(root, closed, SHELTER)
    return root


def _claim(root: Path, var_dir: Path) -> None:
    """Note whose the folder is. Raises DatabaseRefused if `var_dir` is only a copy."""
    note = root / NOTE
    noted = Path(note.read_text()) if note.is_file() else var_dir
    other = noted / LINK
    is_held = other.is_symlink() and other.resolve() == root
    if is_held and not noted.samefile(var_dir):
        raise refusals.copied_console(var_dir, noted, root)
    if not note.is_file() or noted != var_dir:
        note.write_text(str(var_dir))


def _new_root(var_dir: Path, uid: int | None) -> Path:
    link = var_dir / LINK
    closed = [] if uid is None else closed_folders(var_dir)
    if not closed:
        return link
    root = SHELTER / secrets.token_hex(6)
    try:
        make_passable(SHELTER)
        root.mkdir(mode=0o700)
    except OSError:
        raise refusals.closed_off(link, closed, SHELTER) from None
    (root / NOTE).write_text(str(var_dir))
    try:
        link.symlink_to(root)
    except FileExistsError:  # another first start was quicker
        (root / NOTE).unlink()
        root.rmdir()
        return link.resolve()
    words = f"PostgreSQL's account cannot enter {closed[0]}: the database is in {root}."
    print(words, file=sys.stderr)
    return root


def closed_folders(path: Path) -> list[Path]:
    """The folders on the way that not every account can traverse."""
    return [p for p in (path, *path.parents) if not p.stat().st_mode & 0o001]


def reachable(installed: Path, root: Path, uid: int | None) -> Path:
    """The programs themselves, or copies that the server's account can enter."""
    if uid is None or not closed_folders(installed):
        return installed
    return binaries.copied(installed, root)


def _socket_of(root: Path) -> Path:
    """Below the root, or a short name that stays the same when the root is moved."""
    socket = root / "socket"
    if len(str(socket)) <= SOCKET_PATH_LIMIT:
        return socket
    status = root.stat() if root.exists() else root.parent.stat()
    return Path(tempfile.gettempdir()) / f"lp-{status.st_dev:x}-{status.st_ino:x}"


def make_private(folder: Path, uid: int | None, gid: int | None) -> None:
    """A folder that only the server's account enters, and root.

    Raises DatabaseRefused if it belongs to somebody else.
    """
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o700)
    status = folder.stat()
    wanted = os.getuid() if uid is None else uid
    if folder.is_symlink() or status.st_uid not in {wanted, os.getuid()}:
        raise refusals.another_account(folder, name_of(status.st_uid), name_of(wanted))
    if uid is not None and gid is not None and status.st_uid != uid:
        os.chown(folder, uid, gid)


def name_of(uid: int) -> str:
    """An account's name, or its number if it has none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
