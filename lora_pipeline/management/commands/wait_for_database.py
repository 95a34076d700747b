"""`manage.py wait_for_database`: returns when the database takes connections."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection

from lora_pipeline.postgres.versions import require_known_database

PAUSE_SECONDS = 1.0


class Command(BaseCommand):
    help = "Wait until the database takes connections; exit status 1 if it does not, 3 "
    help += "if it is newer than this program."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--seconds", type=float, default=300.0, help="how long at most; 300"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        deadline = time.monotonic() + options["seconds"]
        said = ""
        while True:
            try:
                connection.ensure_connection()
            except OperationalError as error:
                words = " ".join(str(error).split())
            else:
                require_known_database()
                connection.close()
                return
            if time.monotonic() >= deadline:
                raise CommandError(f"The database cannot be used: {words}")
            if words != said:
                self.stdout.write(f"waiting for the database: {words}")
                said = words
            time.sleep(PAUSE_SECONDS)
