"""PostgreSQL as operators have it: behind a pooler, over TLS, restarted, frozen."""

import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from lora_pipeline.postgres import cluster, embedded
from lora_pipeline.postgres import server as running
from tests.isolation.server import Server
from tests.lora_pipeline.operations.test_deploy import certificate, free_port
from tests.trainer.conftest import MANAGE

PGBOUNCER = shutil.which("pgbouncer") or shutil.which("pgbouncer", path="/usr/sbin")
CONFIGURATION = """
[databases]
* = host={socket} port=5432
[pgbouncer]
listen_addr = localhost
listen_port = {port}
unix_socket_dir =
auth_type = plain
auth_file = {folder}/users
pool_mode = {mode}
logfile = {folder}/log
client_tls_sslmode = require
client_tls_key_file = {folder}/privkey.pem
client_tls_cert_file = {folder}/fullchain.pem
"""
MAKE = """
from lora_pipeline.models import User
from datasets.models import Dataset
for name in ("ada", "bob"):
    Dataset.objects.create(user=User.objects.create_user(name), name=name)
"""
SEEN = """
from datasets.models import Dataset
from lora_pipeline.models import User
from lora_pipeline.postgres import row_security
ada = User.objects.get(username="ada")
everything = Dataset.objects.count()
row_security._set("lp_web", str(ada.pk))
print(everything, Dataset.objects.count())
"""


@pytest.fixture
def server(own_server):
    """An embedded server, as an operator's own."""
    return embedded.hold(own_server)


class Pooler:
    """pgbouncer before a server, over TLS."""

    def __init__(self, server: embedded.Connection, mode: str) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="lp-pooler-"))
        self.port = free_port()
        certificate(self.folder)
        (self.folder / "users").write_text(f'"{server.user}" "{server.password}"\n')
        places = {"socket": server.host, "port": self.port, "folder": self.folder}
        whole = CONFIGURATION.format(**places, mode=mode)
        (self.folder / "ini").write_text(whole)
        user = pwd.getpwnam("nobody") if os.getuid() == 0 else None
        if user is not None:  # it refuses to run as root
            for path in (self.folder, *self.folder.iterdir()):
                os.chown(path, user.pw_uid, user.pw_gid)
        self.process = subprocess.Popen(
            [PGBOUNCER, self.folder / "ini"],
            user=user and user.pw_uid,
            group=user and user.pw_gid,
            stderr=subprocess.DEVNULL,
        )
        self.url = (
            f"postgres://{server.user}:{server.password}@localhost:{self.port}"
            f"/{server.name}?sslmode=verify-full"
            f"&sslrootcert={self.folder}/fullchain.pem"
        )

    def stop(self) -> None:
        self.process.terminate()
        self.process.wait(10)
        shutil.rmtree(self.folder)


@pytest.fixture
def pooler(server, request):
    pooler = Pooler(server, request.param)
    yield pooler
    pooler.stop()


def manage(var: Path, url: str, *arguments: str) -> subprocess.CompletedProcess:
    kept = {k: v for k, v in os.environ.items() if "LORA_PIPELINE" not in k}
    own = {"LORA_PIPELINE_VAR": str(var), "DATABASE_URL": url}
    command = [sys.executable, MANAGE, *arguments]
    return subprocess.run(command, env=kept | own, capture_output=True, text=True)


@pytest.mark.long
@pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer is not installed")
@pytest.mark.parametrize("pooler", ["transaction", "statement"], indirect=True)
def test_a_pooler_of_transactions_is_refused(pooler, tmp_path):
    done = manage(tmp_path / "var2", pooler.url, "migrate", "-v", "0")
    assert done.returncode != 0
    assert "pool_mode = session" in done.stderr
    started = manage(tmp_path / "var2", pooler.url, "up", "--port", str(free_port()))
    assert started.returncode != 0
    assert "did not survive" in started.stderr
    told = manage(tmp_path / "var2", pooler.url, "doctor").stdout
    assert "fault    roles       A setting of this connection did not survive" in told


@pytest.mark.long
@pytest.mark.skipif(PGBOUNCER is None, reason="pgbouncer is not installed")
@pytest.mark.parametrize("pooler", ["session"], indirect=True)
def test_a_pooler_of_sessions_over_tls_shows_each_their_own(pooler, tmp_path):
    var = tmp_path / "var2"
    done = manage(var, pooler.url, "migrate", "-v", "0")
    assert done.returncode == 0, done.stderr
    made = manage(var, pooler.url, "shell", "-v", "0", "-c", MAKE)
    assert made.returncode == 0, made.stderr
    assert manage(var, pooler.url, "shell", "-v", "0", "-c", SEEN).stdout == "2 1\n"
    assert manage(var, pooler.url, "work", "--once").returncode == 0
    backup = manage(var, pooler.url, "backup", str(tmp_path / "backup"))
    assert "Set POSTGRES_PROGRAMS" in backup.stderr
    assert (
        "warning  backup      the server is" in manage(var, pooler.url, "doctor").stdout
    )
    wrong = pooler.url.replace("@localhost", "@127.0.0.1")
    refused = manage(var, wrong, "wait_for_database", "--seconds", "0")
    assert refused.returncode == 1
    assert "127.0.0.1" in refused.stderr


def test_a_database_that_is_late_is_waited_for_and_then_named(tmp_path):
    url = f"postgres://ada:secret@127.0.0.1:{free_port()}/x"
    done = manage(tmp_path / "var2", url, "wait_for_database", "--seconds", "1.5")
    assert done.returncode == 1
    assert done.stdout.count("waiting for the database:") == 1
    assert "The database cannot be used: " in done.stderr
    assert "secret" not in done.stdout + done.stderr


class Silent:
    """A port that takes connections and never says a word, as a frozen server does."""

    def __init__(self) -> None:
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.port = self.socket.getsockname()[1]
        self.url = f"postgres://somebody:secret@127.0.0.1:{self.port}/x"


@pytest.fixture
def silent():
    silent = Silent()
    yield silent
    silent.socket.close()


def test_readiness_of_a_console_whose_server_is_frozen(silent, tmp_path):
    code = (
        "import time, django; django.setup(); from django.test import Client; "
        "begun = time.monotonic(); got = Client().get('/readyz'); "
        "print(got.status_code, time.monotonic() - begun, got.content.decode())"
    )
    own = {
        "DATABASE_URL": silent.url,
        "LORA_PIPELINE_VAR": str(tmp_path),
        "LORA_PIPELINE_DATABASE_ROLE": "web",
        "DJANGO_SETTINGS_MODULE": "lora_pipeline.settings",
    }
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=os.environ | own, capture_output=True, text=True)
    status, seconds, body = done.stdout.split(maxsplit=2)
    assert status == "503"
    assert float(seconds) < 5
    assert "the database does not answer" in body


def test_several_hosts_are_tried_in_turn(server, tmp_path, monkeypatch):
    """The first of them takes no connection, as after a failover."""
    closed = free_port()
    user = f"{server.user}:{server.password}"
    hosts = f"127.0.0.1:{closed},{server.host.replace('/', '%2F')}:{server.port}"
    url = f"postgres://{user}@{hosts}/{server.name}?options=-c%20work_mem%3D7MB"
    code = "from django.db import connection as c; k = c.cursor(); "
    code += "k.execute('SHOW work_mem'); print(k.fetchone()[0])"
    done = manage(tmp_path / "var2", url, "shell", "-v", "0", "-c", code)
    assert done.stdout == "7MB\n", done.stderr


@pytest.mark.long
def test_worker_ends_with_a_fault_when_the_database_goes_and_not_when_asked(
    server, tmp_path
):
    url = (
        f"postgres://{server.user}:{server.password}@/{server.name}?host={server.host}"
    )
    assert manage(tmp_path / "var2", url, "migrate", "-v", "0").returncode == 0
    kept = {k: v for k, v in os.environ.items() if "LORA_PIPELINE" not in k}
    own = {"LORA_PIPELINE_VAR": str(tmp_path / "var2"), "DATABASE_URL": url}

    def started() -> subprocess.Popen:
        command = [sys.executable, MANAGE, "work"]
        process = subprocess.Popen(
            command, env=kept | own, stderr=subprocess.PIPE, text=True
        )
        with psycopg.connect(url, autocommit=True) as asking:
            deadline = time.monotonic() + 30
            while time.monotonic() < deadline:
                listens = asking.execute(
                    "SELECT count(*) FROM pg_stat_activity WHERE query LIKE 'LISTEN%'"
                )
                if listens.fetchone()[0] >= 2:
                    return process
                time.sleep(0.1)
        raise AssertionError("the worker does not listen")

    asked = started()
    asked.send_signal(signal.SIGTERM)
    assert asked.wait(30) == 0
    lost = started()
    places = embedded.find_places(tmp_path / "var")
    passwords = cluster.kept_passwords(places)
    with running.superuser(places, passwords) as asking:
        asking.execute("ALTER ROLE lora_pipeline NOLOGIN")  # away for a while
        asking.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE usename = 'lora_pipeline'"
        )
    try:
        said = lost.communicate(timeout=90)[1]
    finally:
        lost.kill()
    assert lost.returncode == 1
    assert "stopped without being asked to" in said


@pytest.mark.long
def test_probes_are_answered_while_every_thread_is_stuck(silent, tmp_path):
    port = free_port()
    kept = {k: v for k, v in os.environ.items() if "LORA_PIPELINE" not in k}
    own = {"LORA_PIPELINE_VAR": str(tmp_path), "DATABASE_URL": silent.url}
    code = (
        "import sys; sys.argv = ['manage.py', 'web', '--threads', '2', '--port', "
        f"'{port}']; import lora_pipeline.postgres.versions as versions, manage; "
        # The parent asks the database before it starts; here it has none.
        "versions.require_known_database = lambda: None; manage.main()"
    )
    web = subprocess.Popen([sys.executable, "-c", code], env=kept | own)
    try:
        deadline = time.monotonic() + 30
        while time.monotonic() < deadline:
            try:
                stuck = [socket.create_connection(("127.0.0.1", port))]
                break
            except OSError:
                time.sleep(0.1)
        stuck += [socket.create_connection(("127.0.0.1", port)) for _ in range(3)]
        for one in stuck:
            one.sendall(
                b"GET /api/jobs HTTP/1.1\r\nHost: localhost\r\n"
                b"Authorization: Bearer lp_x\r\n\r\n"
            )
        begun = time.monotonic()
        alive = urllib.request.urlopen(f"http://127.0.0.1:{port}/healthz", timeout=5)
        assert alive.status == 200
        with pytest.raises(urllib.error.HTTPError) as refused:
            urllib.request.urlopen(f"http://127.0.0.1:{port}/readyz", timeout=6)
        assert refused.value.code == 503
        assert time.monotonic() - begun < 6
        stuck[0].settimeout(30)
        answer = stuck[0].recv(4096)
        assert answer.startswith(b"HTTP/1.1 503"), answer
        assert b"Retry-After: 5" in answer
    finally:
        web.terminate()
        web.wait(30)


def family(pid: int) -> list[int]:
    """A process and its children."""
    found = [pid]
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            name, _, rest = stat.read_text().rpartition(") ")
            if int(rest.split()[1]) == pid:
                found.append(int(name.split()[0]))
    return found


def status_of(url: str, **headers: str) -> tuple[int, float]:
    begun = time.monotonic()
    try:
        asked = urllib.request.Request(url, headers=headers)
        with urllib.request.urlopen(asked, timeout=60) as answer:
            status = answer.status
    except urllib.error.HTTPError as error:
        status = error.code
    return status, time.monotonic() - begun


@pytest.mark.long
def test_a_frozen_server_is_told_and_goes_on_when_it_thaws(own_server):
    console = Server(own_server, DATABASE_SECONDS="3")
    console.start()
    data = embedded.find_places(own_server).data
    frozen: list[int] = []
    key = {"Authorization": "Bearer lp_unknown"}
    jobs, ready = f"{console.url}/api/jobs", f"{console.url}/readyz"
    try:
        assert status_of(jobs, **key)[0] == 401
        frozen = family(int((data / "postmaster.pid").read_text().split()[0]))
        for pid in frozen:
            os.kill(pid, signal.SIGSTOP)
        status, seconds = status_of(ready)
        assert (status, seconds < 5.5) == (503, True), seconds
        status, seconds = status_of(jobs, **key)
        assert (status, seconds < 20) == (503, True), seconds
        for pid in frozen:
            os.kill(pid, signal.SIGCONT)
        assert status_of(jobs, **key)[0] == 401
    finally:
        for pid in frozen:
            with suppress(OSError):
                os.kill(pid, signal.SIGCONT)
        console.stop()


@pytest.mark.long
def test_a_server_without_a_connection_left_is_a_503(own_server):
    console = Server(own_server)
    console.start()
    key = {"Authorization": "Bearer lp_unknown"}
    jobs = f"{console.url}/api/jobs"
    places = embedded.find_places(own_server)
    passwords = cluster.kept_passwords(places)
    try:
        with running.superuser(places, passwords) as asking:
            asking.execute("ALTER ROLE lora_pipeline CONNECTION LIMIT 0")
            assert status_of(jobs, **key)[0] == 503
            asking.execute("ALTER ROLE lora_pipeline CONNECTION LIMIT -1")
        assert status_of(jobs, **key)[0] == 401
    finally:
        console.stop()
