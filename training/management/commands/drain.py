"""`manage.py drain`: start no new run on this machine; `--undo` starts them again."""

import getpass
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from training.launchers.local import BACKEND
from training.runs.draining import drain, runs_left, undrain


class Command(BaseCommand):
    help = "Take a machine out of use: what runs ends by itself, nothing new starts."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--machine", default=BACKEND, help=f"usual: {BACKEND}")
        parser.add_argument("--undo", action="store_true", help="start runs again")
        parser.add_argument(
            "--wait",
            type=float,
            metavar="SECONDS",
            help="until nothing runs; status 1 when something still does by then",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        machine, by = options["machine"], f"drain by {getpass.getuser()}"
        if options["undo"]:
            undrain(machine=machine, by=by)
            self.stdout.write(f"{machine} starts runs again")
            return
        drain(machine=machine, by=by)
        left = self._wait(machine, options["wait"] or 0)
        self.stdout.write(f"{machine} starts nothing new; {left} runs go on")
        if left and options["wait"] is not None:
            raise CommandError(f"{left} runs are not over yet.")

    def _wait(self, machine: str, seconds: float) -> int:
        deadline = time.monotonic() + seconds
        while (left := runs_left(machine)) and time.monotonic() < deadline:
            time.sleep(min(1.0, seconds))
        return left
