"""`manage.py up`: runs the whole console until Ctrl-C."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import connection

from lora_pipeline.files.closed import make_passable
from lora_pipeline.postgres import embedded
from lora_pipeline.processes import ports, supervisor
from lora_pipeline.processes.alone import alone, require_alone
from lora_pipeline.processes.supervisor import Supervisor

# Where this machine reaches what listens on all of its addresses.
ANY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - only compared: the operator's own choice


class Command(BaseCommand):
    help = "Run the console: database, migrations, web server, worker, reconciler."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--host", default=ports.HOST)
        parser.add_argument("--port", type=int, default=ports.PORT)

    def handle(self, *args: Any, **options: Any) -> None:
        host, port = ports.bare(options["host"]), options["port"]
        signal.signal(signal.SIGTERM, signal.default_int_handler)
        signal.signal(signal.SIGINT, signal.default_int_handler)
        try:
            with running(host, port, self.stdout) as (console, url):
                self.stdout.write(f"The console is running at {url} (Ctrl-C to stop)")
                console.run()
        except KeyboardInterrupt:
            self.stdout.write("stopped; training runs in progress continue")


@contextmanager
def running(host: str, port: int, output: Any) -> Iterator[tuple[Supervisor, str]]:
    """Runs the console inside the block and stops it in order afterwards.

    Raises CommandError before anything is started: a console runs in this folder, the
    port is taken, or migrations fail.
    """
    var_dir = Path(settings.VAR_DIR)
    require_alone(var_dir)
    ports.require_free(host, port)
    make_passable(var_dir)
    with alone(var_dir, f"http://{ports.in_url(host)}:{port}"):
        yield from _started(host, port, output)


def _started(host: str, port: int, output: Any) -> Iterator[tuple[Supervisor, str]]:
    connection.ensure_connection()
    migrate()
    reachable = ANY_ADDRESS.get(host, host)
    url = f"http://{ports.in_url(reachable)}:{port}"
    if not settings.BASE_URL:
        os.environ["LORA_PIPELINE_BASE_URL"] = url
    # For commands that are started beside it, such as doctor.
    Path(settings.BASE_URL_FILE).write_text(url)
    console = Supervisor(supervisor.console(host, port), output)
    try:
        console.start()
        supervisor.wait_until_it_answers(reachable, port)
        yield console, url
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        console.stop()
        Path(settings.BASE_URL_FILE).unlink(missing_ok=True)
        if settings.DATABASE_EMBEDDED:
            embedded.let_go(settings.VAR_DIR)


def migrate() -> None:
    """Apply migrations, in a process with the login role."""
    command = [sys.executable, str(supervisor.MANAGE), "migrate", "-v", "0"]
    if subprocess.run(command).returncode:  # noqa: S603 - our own manage.py, no argument from outside
        raise CommandError("Migrations failed. Nothing was started.")
