"""The web server behind nginx: `gunicorn -c lora_pipeline/deploy/gunicorn.conf.py`.

Trainers on this machine connect directly, so it listens on TCP, not on a Unix socket.
"""

import subprocess
import sys
from pathlib import Path

from lora_pipeline import env
from lora_pipeline.operations import metrics_folder
from lora_pipeline.postgres.refusals import NEWER_STATUS

_ROOT = Path(__file__).resolve().parents[2]

wsgi_app = "lora_pipeline.wsgi"
bind = env.text("WEB_BIND", "127.0.0.1:8000")
workers = env.integer("WEB_WORKERS", 2, minimum=1)
threads = env.integer("WEB_THREADS", 16, minimum=1)
worker_class = "lora_pipeline.processes.web_worker.Worker"
logger_class = "lora_pipeline.logs.server.ServerLog"
# Longer than nginx keeps idle connections, so that it never uses a closed one.
keepalive = 75
timeout = 120
# Seconds that SIGTERM leaves to requests in progress; systemd waits a little longer.
graceful_timeout = 30
# Trust X-Forwarded-Proto only from nginx on this machine.
forwarded_allow_ips = "127.0.0.1"
control_socket_disable = True
loglevel = "warning"
child_exit = metrics_folder.forget_worker


def on_starting(server: object) -> None:
    """Before the workers start: refuse a newer database, make the metrics' folder.

    In a program of its own, so that a reload (HUP) finds no module loaded already. A
    database that is away is waited for by the requests.
    """
    command = [sys.executable, str(_ROOT / "manage.py"), "wait_for_database"]
    if subprocess.run([*command, "--seconds", "0"]).returncode == NEWER_STATUS:  # noqa: S603 - our own manage.py
        sys.exit(NEWER_STATUS)
    var = env.path("LORA_PIPELINE_VAR", _ROOT / "var")
    metrics_folder.use(var / "metrics")
