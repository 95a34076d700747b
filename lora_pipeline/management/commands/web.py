"""`manage.py web`: runs only the web server."""

from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandParser
from django.db import connection
from gunicorn.app.base import BaseApplication

from lora_pipeline.logs.server import ServerLog
from lora_pipeline.operations import metrics_folder
from lora_pipeline.postgres.versions import require_known_database
from lora_pipeline.processes import lifeline, ports
from lora_pipeline.processes.web_worker import Worker


class Server(BaseApplication):  # type: ignore[misc]
    """Gunicorn with threads, configured here instead of by a file."""

    def __init__(self, options: dict[str, Any]) -> None:
        self._options = options
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            self.cfg.set(name, value)

    def load(self) -> Any:
        from lora_pipeline.wsgi import application  # noqa: PLC0415 - makes the application, in each worker

        return application


class Command(BaseCommand):
    help = "Serve pages and API."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=ports.HOST)
        parser.add_argument("--port", type=int, default=ports.PORT)
        parser.add_argument("--workers", type=int, default=1)
        parser.add_argument("--threads", type=int, default=16)

    def handle(self, *args: Any, **options: Any) -> None:
        lifeline.watch()
        require_known_database()
        connection.close()
        metrics_folder.use(settings.METRICS_DIR)
        host = ports.in_url(ports.bare(options["host"]))
        Server(
            {
                "bind": f"{host}:{options['port']}",
                "workers": options["workers"],
                "threads": options["threads"],
                "worker_class": Worker,
                "keepalive": 5,
                "timeout": 120,
                "graceful_timeout": 1,
                "loglevel": "warning",
                "logger_class": ServerLog,
                "control_socket_disable": True,
                "child_exit": metrics_folder.forget_worker,
            }
        ).run()
