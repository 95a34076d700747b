"""`manage.py wait_for_database`: returns when the database takes connections."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError, connection

PAUSE_SECONDS = 1.0


class Command(BaseCommand):
    help = "Wait until the database takes connections; exit status 1 if it does not."
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
                connection.close()
                return
            if time.monotonic() >= deadline:
                raise CommandError(f"The database cannot be used: {words}")
            if words != said:
                self.stdout.write(f"waiting for the database: {words}")
                said = words
            time.sleep(PAUSE_SECONDS)
