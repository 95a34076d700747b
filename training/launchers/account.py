"""Trainers as another user than the console's: TRAINER_USER.

A trainer runs code that came with a base model, and as the console's own user it could
read the secret key, other people's data and the database's passwords. As another it
reaches what is shared with that user's group: its run folder, base models, a home.
Jobs are not kept apart from one another: all trainers are one user.

The console starts and ends them as root, or with three capabilities (CAP_SETUID,
CAP_SETGID, CAP_KILL) and as a member of that group.
"""

import os
import pwd
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from django.conf import settings

SHARED_FOLDER, SHARED_FILE = 0o2770, 0o660
READ_FOLDER, READ_FILE = 0o2750, 0o640
NO_CAPABILITIES = ("setpriv", "--inh-caps=-all", "--ambient-caps=-all", "--")


class TrainerUserUnusable(RuntimeError):
    """TRAINER_USER names a user as whom no trainer can be started; says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The user that trainers run as."""

    name: str
    uid: int
    gid: int

    @property
    def home(self) -> Path:
        """Where its trainers keep caches; nobody's own home need exist."""
        return Path(settings.VAR_DIR) / "trainer"


def account() -> Account | None:
    """None where trainers run as we do. Raises TrainerUserUnusable."""
    if not (name := settings.TRAINER_USER):
        return None
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        words = f"TRAINER_USER={name!r}: this machine has no such user; make it."
        raise TrainerUserUnusable(words) from None
    if found.pw_uid in {0, os.geteuid()}:
        words = f"TRAINER_USER={name!r} is root or the console itself: name another."
        raise TrainerUserUnusable(words)
    if os.geteuid() != 0 and shutil.which(NO_CAPABILITIES[0]) is None:
        words = "TRAINER_USER needs setpriv (of util-linux) where we are not root."
        raise TrainerUserUnusable(words)
    return Account(name=name, uid=found.pw_uid, gid=found.pw_gid)


def started_as() -> dict[str, Any]:
    """What Popen is told beside the command: the user, its groups, no other."""
    if (other := account()) is None:
        return {}
    let_use(other)
    groups = os.getgrouplist(other.name, other.gid)
    return {
        "user": other.uid, "group": other.gid, "extra_groups": groups, "umask": 0o007,
    }  # fmt: skip


def command_as(command: list[str]) -> list[str]:
    """The command without our capabilities, which root alone loses by itself."""
    within = account() is None or os.geteuid() == 0
    return command if within else [*NO_CAPABILITIES, *command]


def environment_as() -> dict[str, str]:
    """A home that the other user can write; HF_HOME stays where an operator set it."""
    other = account()
    return {} if other is None else {"HOME": str(other.home)}


def let_use(other: Account) -> None:
    """Open what trainers need: base models to read, a home to write."""
    other.home.mkdir(exist_ok=True)
    _share_one(other.home, other, SHARED_FOLDER)
    _share(Path(settings.MODELS_DIR), other, READ_FOLDER, READ_FILE)


def hand_over(what: Path) -> None:
    """Let trainers write a file or a folder of ours, and us what they write in it."""
    if (other := account()) is None:
        return
    if what.is_dir():
        _share(what, other, SHARED_FOLDER, SHARED_FILE)
    else:
        _share_one(what, other, SHARED_FILE)


def taken_over(made: Path) -> Path:
    """What a trainer made, as files that trainers cannot write any more: a copy."""
    if account() is None:
        return made
    ours = made.with_name(f"{made.name}.ours")
    shutil.copytree(made, ours, copy_function=shutil.copyfile)
    for path in (ours, *ours.rglob("*")):
        path.chmod(0o700 if path.is_dir() else 0o600)
    return ours


def _share(folder: Path, other: Account, folders: int, files: int) -> None:
    for parent, _, names in os.walk(folder):
        _share_one(Path(parent), other, folders)
        for name in names:
            _share_one(Path(parent, name), other, files)


def _share_one(path: Path, other: Account, mode: int) -> None:
    """By descriptor and without following links: another may have put one there."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except OSError:
        return
    try:
        seen = os.fstat(descriptor)
        is_ours = seen.st_uid == os.geteuid() and seen.st_nlink < 2
        if stat.S_ISDIR(seen.st_mode) or (stat.S_ISREG(seen.st_mode) and is_ours):
            if seen.st_gid != other.gid:
                os.fchown(descriptor, -1, other.gid)
            now = stat.S_IMODE(seen.st_mode)
            if seen.st_uid == os.geteuid() and now | mode != now:
                os.fchmod(descriptor, now | mode)
    finally:
        os.close(descriptor)


def may_signal(pid: int) -> bool:
    """Whether a process is a trainer's: its own folder named it, which it can write."""
    other = account()
    try:
        return other is None or os.stat(f"/proc/{pid}").st_uid == other.uid
    except FileNotFoundError:
        return False
