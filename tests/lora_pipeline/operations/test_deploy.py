"""The deployment files: read by the programs they are for, and followed as the guide
has them, on high ports and in folders of the test's own.
"""

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from lora_pipeline.postgres import embedded
from tests.trainer.conftest import MANAGE, ROOT, Console, chat

DEPLOY = ROOT / "lora_pipeline" / "deploy"
NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
ANALYZE = shutil.which("systemd-analyze")
AROUND = """
daemon off;
{user}
pid {folder}/nginx.pid;
error_log {folder}/error.log;
events {{}}
http {{
    access_log {folder}/access.log;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/site.conf;
}}
"""
needs_nginx = pytest.mark.skipif(NGINX is None, reason="nginx is not installed")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def certificate(folder: Path) -> None:
    subject = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost"]
    files = ["-keyout", folder / "privkey.pem", "-out", folder / "fullchain.pem"]
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]
    subprocess.run([*command, *subject, *files], check=True, capture_output=True)


def site(folder: Path, *, var: Path, web: int, plain: int, tls: int) -> Path:
    """The site as shipped, but for ports, paths and the name."""
    certificate(folder)
    text = (DEPLOY / "nginx-site.conf").read_text()
    for shipped, ours in (
        ("127.0.0.1:8000", f"127.0.0.1:{web}"),
        ("listen 80;", f"listen 127.0.0.1:{plain};"),
        ("listen 443 ssl", f"listen 127.0.0.1:{tls} ssl"),
        ("console.example.org", "localhost"),
        ("/etc/ssl/lora-pipeline", str(folder)),
        ("/var/lib/lora-pipeline", str(var)),
    ):
        assert shipped in text
        text = text.replace(shipped, ours)
    (folder / "site.conf").write_text(text)
    whole = folder / "nginx.conf"
    # Folders of tests are closed to the account that nginx would take.
    user = "user root;" if os.getuid() == 0 else ""
    whole.write_text(AROUND.format(folder=folder, user=user))
    return whole


@pytest.mark.skipif(ANALYZE is None, reason="systemd-analyze is not installed")
def test_systemd_finds_no_fault_in_the_units(tmp_path):
    units = []
    for unit in (DEPLOY / "systemd").iterdir():
        text = unit.read_text().replace("/opt/lora-pipeline", str(ROOT))
        (tmp_path / unit.name).write_text(text)
        units.append(tmp_path / unit.name)
    done = subprocess.run(
        [ANALYZE, "verify", "--man=no", *units], capture_output=True, text=True
    )
    assert (done.returncode, done.stderr) == (0, "")


def test_a_trainer_outlives_its_reconciler_by_the_unit():
    unit = (DEPLOY / "systemd" / "lora-pipeline-reconciler.service").read_text()
    assert "\nKillMode=process\n" in unit


@pytest.mark.parametrize("name", ["web", "worker", "reconciler"])
def test_a_program_is_started_again_however_it_ended(name):
    unit = (DEPLOY / "systemd" / f"lora-pipeline-{name}.service").read_text()
    assert "\nRestart=always\n" in unit
    assert "\nStartLimitIntervalSec=0\n" in unit


def test_the_migrations_wait_for_the_database_and_are_tried_again():
    unit = (DEPLOY / "systemd" / "lora-pipeline-migrate.service").read_text()
    waits, migrates = unit.index("wait_for_database"), unit.index("manage.py migrate")
    assert waits < migrates
    assert "\nRestart=on-failure\n" in unit
    target = (DEPLOY / "systemd" / "lora-pipeline.target").read_text()
    assert "\nUpholds=lora-pipeline-web.service" in target


def test_every_variable_of_the_example_is_one_that_is_read():
    settings = (ROOT / "lora_pipeline" / "settings").glob("*.py")
    read = "".join(file.read_text() for file in settings)
    known = {"HF_HOME", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"}
    for line in (DEPLOY / "environment.example").read_text().splitlines():
        name = line.removeprefix("# ").partition("=")[0]
        if "=" in line and name.isupper():
            assert f'"{name}"' in read or name in known, name


@needs_nginx
def test_nginx_finds_no_fault_in_the_site(tmp_path):
    ports = {name: free_port() for name in ("web", "plain", "tls")}
    config = site(tmp_path, var=tmp_path, **ports)
    done = subprocess.run([NGINX, "-t", "-c", config], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


class Deployed(Console):
    """The console as the guide sets it up: each program by itself, behind nginx."""

    def __init__(self, folder: Path, database: str) -> None:
        super().__init__(folder / "console")
        self.var.mkdir()
        self.folder, self.web = folder, free_port()
        self.plain, self.tls = free_port(), free_port()
        self.url = f"https://localhost:{self.tls}"
        self.environment |= {
            "DATABASE_URL": database,
            "LORA_PIPELINE_PUBLIC_URL": self.url,
            "LORA_PIPELINE_BASE_URL": f"http://127.0.0.1:{self.web}",
            "WEB_BIND": f"127.0.0.1:{self.web}",
            "SECRET_KEY": "a" * 25 + "0123456789" * 3,
        }
        self.started: dict[str, subprocess.Popen] = {}

    def start(self) -> None:
        for command in (["migrate", "-v", "0"], ["collectstatic", "--no-input"]):
            self.run(sys.executable, MANAGE, *command).check_returncode()
        ports = {"web": self.web, "plain": self.plain, "tls": self.tls}
        nginx = site(self.folder, var=self.var, **ports)
        self.spawn("nginx", NGINX, "-c", nginx)
        self.start_programs()

    def start_programs(self) -> None:
        """What the units start."""
        config = DEPLOY / "gunicorn.conf.py"
        gunicorn = Path(sys.executable).with_name("gunicorn")
        self.spawn("web", gunicorn, "--config", config)
        self.spawn("worker", sys.executable, MANAGE, "work", "--grace", "60")
        self.spawn("reconciler", sys.executable, MANAGE, "reconcile")
        self.wait(self._ready, 90)

    def _ready(self) -> bool:
        try:
            return urllib.request.urlopen(f"{self.url}/readyz").status == 200
        except OSError:
            return False

    def run(self, *command) -> subprocess.CompletedProcess:
        return subprocess.run(
            command, env=self.environment, cwd=ROOT, capture_output=True, text=True
        )

    def spawn(self, name: str, *command) -> None:
        log = (self.folder / f"{name}.log").open("a")
        self.started[name] = subprocess.Popen(
            command, env=self.environment, cwd=ROOT, stdout=log, stderr=log
        )

    def end(self, name: str) -> int:
        self.started[name].send_signal(signal.SIGTERM)
        return self.started[name].wait(60)

    def stop(self) -> float:
        for process in self.started.values():
            if process.poll() is None:
                process.terminate()
        for process in self.started.values():
            process.wait(60)
        return 0.0

    def answer(self, path: str, url: str = "") -> tuple[int, dict, bytes]:
        try:
            with urllib.request.urlopen(
                f"{url or self.url}{path}", timeout=20
            ) as found:
                return found.status, dict(found.headers), found.read()
        except urllib.error.HTTPError as error:
            return error.code, dict(error.headers), error.read()


@pytest.fixture
def deployed(own_server, tmp_path, monkeypatch):
    server = embedded.hold(own_server)
    database = (
        f"postgres://{server.user}:{server.password}@/{server.name}?host={server.host}"
    )
    console = Deployed(tmp_path, database)
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "fullchain.pem"))
    tmp_path.chmod(0o755)
    yield console
    console.stop()
    console.end_runs()


@needs_nginx
@pytest.mark.trainer
@pytest.mark.long
def test_the_guide_followed_from_start_to_end(deployed, tiny_model):
    deployed.start()
    deployed.prepare(tiny_model)
    check_addresses(deployed)
    dataset = deployed.upload(67)
    job = deployed.start_job(dataset, epochs=20, hyperparameters={"batch_size": 1})
    deployed.wait_for_step(job, 20)
    check_sigterm(deployed, job)
    ended = deployed.wait_for_end(job)
    assert ended["status"] == "completed", ended["error_message"]
    assert len(deployed.result(job)["attempts"]) == 1
    path = f"{deployed.url}/api/adapters/{ended['artifact_id']}/download"
    headers = {"Authorization": f"Bearer {deployed.key}", "Range": "bytes=0-99"}
    part = urllib.request.urlopen(urllib.request.Request(path, headers=headers))
    assert (part.status, len(part.read())) == (206, 100)


def check_addresses(deployed: Deployed) -> None:
    """TLS, redirect, static files by nginx, and no metrics from outside."""
    own = f"http://127.0.0.1:{deployed.web}"
    status, headers, page = deployed.answer("/sign-in")
    assert status == 200
    assert "max-age=31536000" in headers["Strict-Transport-Security"]
    assert "Secure" in headers["Set-Cookie"]
    assert b"csrfmiddlewaretoken" in page
    with socket.create_connection(("127.0.0.1", deployed.plain)) as plain:
        plain.sendall(b"GET /datasets HTTP/1.0\r\nHost: localhost\r\n\r\n")
        assert b"Location: https://localhost/datasets" in plain.recv(4096)
    status, headers, _ = deployed.answer("/static/css/badges.css")
    assert (status, headers["Server"].partition("/")[0]) == (200, "nginx")
    assert headers["Cache-Control"] == "max-age=3600"
    assert deployed.answer("/metrics")[0] == 404
    figures = deployed.answer("/metrics", own)[2].decode()
    assert 'lora_pipeline_jobs{status="queued"} 0.0' in figures
    seen = (
        'lora_pipeline_http_requests_total{method="GET",route="sign-in",status="200"}'
    )
    assert float(figures.partition(seen)[2].split()[0]) >= 1
    assert deployed.answer("/healthz")[2] == b"ok\n"


def check_sigterm(deployed: Deployed, job: str) -> None:
    """Each program ends by itself; a request under way and the run go on."""
    trainer = deployed.trainer_pid(job)
    assert deployed.end("reconciler") == 0
    os.kill(trainer, 0)
    assert deployed.end("worker") == 0
    with slow_upload(deployed) as (connection, rest):
        deployed.started["web"].send_signal(signal.SIGTERM)
        time.sleep(1)
        connection.sendall(rest)
        assert connection.recv(100).startswith(b"HTTP/1.1 201")
    assert deployed.started["web"].wait(60) == 0
    deployed.start_programs()


class slow_upload:
    """A request to gunicorn, half of which was sent."""

    def __init__(self, deployed: Deployed) -> None:
        row = f'{{"messages": {chat(1)}}}\n'.replace("'", '"')
        body = (
            '--x\r\nContent-Disposition: form-data; name="file"; filename="b.jsonl"'
            f"\r\n\r\n{row * 50}\r\n--x--\r\n"
        ).encode()
        head = (
            "POST /api/datasets HTTP/1.1\r\nHost: 127.0.0.1\r\n"
            f"Authorization: Bearer {deployed.key}\r\nContent-Length: {len(body)}\r\n"
            "Content-Type: multipart/form-data; boundary=x\r\n"
            "X-Forwarded-Proto: https\r\n\r\n"
        )
        self.connection = socket.create_connection(("127.0.0.1", deployed.web))
        self.connection.settimeout(30)
        self.connection.sendall(head.encode() + body[:100])
        self.rest = body[100:]
        time.sleep(1)

    def __enter__(self) -> tuple[socket.socket, bytes]:
        return self.connection, self.rest

    def __exit__(self, *error: object) -> None:
        self.connection.close()
