"""`manage.py drain`: start no new runs on this machine; `--undo` resumes."""

import getpass
import time
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from training.launchers.local import BACKEND
from training.runs.draining import drain, runs_left, undrain


class Command(BaseCommand):
    help = "Drain a machine: running jobs finish, no new runs start."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--machine", default=BACKEND, help=f"default: {BACKEND}")
        parser.add_argument("--undo", action="store_true", help="accept new runs again")
        parser.add_argument(
            "--wait",
            type=float,
            metavar="SECONDS",
            help="seconds to wait for runs to finish; status 1 if some remain",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        machine, by = options["machine"], f"drain by {getpass.getuser()}"
        if options["undo"]:
            undrain(machine=machine, by=by)
            self.stdout.write(f"{machine} accepts new runs again")
            return
        drain(machine=machine, by=by)
        left = self._wait(machine, options["wait"] or 0)
        self.stdout.write(f"{machine} is draining; {left} runs are still in progress")
        if left and options["wait"] is not None:
            raise CommandError(f"{left} runs are still in progress.")

    def _wait(self, machine: str, seconds: float) -> int:
        deadline = time.monotonic() + seconds
        while (left := runs_left(machine)) and time.monotonic() < deadline:
            time.sleep(min(1.0, seconds))
        return left
