"""Why the embedded database is not started; each message says what to do."""

from pathlib import Path

from django.core.management.base import CommandError

EARLIER = "/var/tmp/lora-pipeline-…"  # noqa: S108 - only named
NEWER_STATUS = 3  # the exit status of a program that is older than its database
BACKED_UP = "or restore a backup into an empty LORA_PIPELINE_VAR"


class DatabaseRefused(CommandError):
    """The embedded database cannot be used as it stands. Nothing was changed."""


class ServerDidNotStart(DatabaseRefused):
    """The embedded PostgreSQL did not start; the end of its log says why."""

    def __init__(self, log: Path) -> None:
        tail = log.read_text(errors="replace")[-2000:] if log.is_file() else "no log"
        super().__init__(
            f"The embedded PostgreSQL did not start. Set DATABASE_URL to use your own "
            f"server. The end of {log}:\n{tail}"
        )


def lost_database(passwords: Path, data: Path) -> DatabaseRefused:
    """The passwords are here, so there was a database; it is not where it was."""
    near = [path.name for path in sorted(data.parent.glob(f"{data.name}-*"))]
    kept = f" (beside it is {', '.join(near)}: rename it)" if near else ""
    return DatabaseRefused(
        f"{passwords} belongs to a database that is not in {data}{kept}. Put that "
        f"folder back (left behind, or its disk is not mounted? older releases kept "
        f"root's in {EARLIER}), {BACKED_UP}. To begin anew without it, move "
        f"{passwords} away."
    )


def lost_passwords(passwords: Path, data: Path) -> DatabaseRefused:
    """The database is here, and nobody can sign in to it."""
    return DatabaseRefused(
        f"The database in {data} is kept as it is, but its passwords are missing: put "
        f"{passwords} back, or run 'manage.py database new-passwords'."
    )


def not_a_database(data: Path) -> DatabaseRefused:
    """Files without PG_VERSION: what a cleaner or a broken copy leaves."""
    return DatabaseRefused(
        f"{data} has files but no PG_VERSION, so it is an incomplete database, which "
        f"is kept as it is. Move it away, {BACKED_UP}."
    )


def lost_shelter(link: Path, target: Path) -> DatabaseRefused:
    """The folder that `var/postgres` points to is gone."""
    return DatabaseRefused(
        f"The database of this console was in {target}, and is not there. Put that "
        f"folder back, {BACKED_UP}. To begin anew without it, move {link} and "
        f"postgres-passwords.json away."
    )


def closed_off(root: Path, closed: list[Path], shelter: Path) -> DatabaseRefused:
    """PostgreSQL never runs as root, and its account cannot reach its files."""
    folders = " ".join(map(str, closed))
    return DatabaseRefused(
        f"The database is in {root}, which PostgreSQL's account cannot enter. Open the "
        f"way with 'chmod o+x {folders}', or move the database: 'mkdir -p {shelter} && "
        f"mv {root} {shelter}/mine && ln -s {shelter}/mine {root}'."
    )


def another_account(folder: Path, owner: str, wanted: str) -> DatabaseRefused:
    """Files of a console that ran as somebody else."""
    return DatabaseRefused(
        f"{folder} belongs to the account {owner}, not to {wanted}. Start the console "
        f"as the account that it was created by, or stop it and give the files over: "
        f"'chown -R {wanted} {folder}'."
    )


def copied_console(var: Path, original: Path, root: Path) -> DatabaseRefused:
    """Two consoles would write to one database and keep their files apart."""
    return DatabaseRefused(
        f"{var} is a copy of {original}, whose database is in {root}; the copy has no "
        f"database of its own. Use 'manage.py backup' there and 'manage.py restore' "
        f"with an empty LORA_PIPELINE_VAR, or move {original} away to use this one."
    )


def copied_while_running(data: Path, original: str) -> DatabaseRefused:
    """A copy made file by file of a database that was writing."""
    return DatabaseRefused(
        f"{data} was copied from {original} while the database there was running, so "
        f"it may be torn. Stop the console there and copy again, or use 'manage.py "
        f"backup' and 'restore'. To use this copy as it is, remove "
        f"{data / 'postmaster.pid'}."
    )


def other_version(data: Path, found: str, ours: str) -> DatabaseRefused:
    """A major version of PostgreSQL reads no other's files."""
    return DatabaseRefused(
        f"The database in {data} was made by PostgreSQL {found}; this program brings "
        f"{ours}. Take a copy over with 'manage.py database upgrade': the old data is "
        f"kept (see Upgrading in the deployment guide)."
    )
