"""The web server behind nginx: `gunicorn -c lora_pipeline/deploy/gunicorn.conf.py`.

Trainers of this machine come here directly, so it listens on TCP, not on a socket file.
"""

from pathlib import Path

from lora_pipeline import env
from lora_pipeline.operations import metrics_folder

_ROOT = Path(__file__).resolve().parents[2]

wsgi_app = "lora_pipeline.wsgi"
bind = env.text("WEB_BIND", "127.0.0.1:8000")
workers = env.integer("WEB_WORKERS", 2, minimum=1)
threads = env.integer("WEB_THREADS", 16, minimum=1)
worker_class = "lora_pipeline.processes.web_worker.Worker"
logger_class = "lora_pipeline.logs.server.ServerLog"
# Longer than nginx keeps an idle connection to us, so that it never meets a closed one.
keepalive = 75
timeout = 120
# What SIGTERM leaves to requests under way; systemd waits a little longer.
graceful_timeout = 30
# nginx on this machine is the only one whose word on the scheme counts.
forwarded_allow_ips = "127.0.0.1"
control_socket_disable = True
loglevel = "warning"
child_exit = metrics_folder.forget_worker


def on_starting(server: object) -> None:
    """Before the workers start: an empty folder, where they count together."""
    var = env.path("LORA_PIPELINE_VAR", _ROOT / "var")
    metrics_folder.use(var / "metrics")
