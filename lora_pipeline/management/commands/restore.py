"""`manage.py restore SOURCE`: a backup in the place of what is here."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lora_pipeline.operations.backup.manifest import BackupRefused
from lora_pipeline.operations.backup.put_back import restore


class Command(BaseCommand):
    help = "Put a backup back. Stop the console first; start it again afterwards."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", type=Path, help="what `backup` made")
        parser.add_argument("--dry-run", action="store_true", help="verify and say")
        parser.add_argument(
            "--replace",
            action="store_true",
            help="also where there are users or files, which are lost",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            restore(
                options["source"].absolute(),
                say=self.stdout.write,
                replace=options["replace"],
                dry_run=options["dry_run"],
            )
        except BackupRefused as refused:
            raise CommandError(str(refused)) from None
        if options["dry_run"]:
            self.stdout.write("nothing was changed")
            return
        self.stdout.write(
            "Restored. Start the console: it applies newer migrations by itself, and "
            "jobs that were running go on from their last checkpoint."
        )
