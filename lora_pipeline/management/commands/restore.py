"""`manage.py restore SOURCE`: replaces the current data with a backup."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lora_pipeline.operations.backup.manifest import BackupRefused
from lora_pipeline.operations.backup.put_back import restore


class Command(BaseCommand):
    help = "Restore a backup. Stop the console first and start it again afterwards."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("source", type=Path, help="folder created by `backup`")
        parser.add_argument(
            "--dry-run",
            action="store_true",
            help="verify the backup and print what would happen",
        )
        parser.add_argument(
            "--replace",
            action="store_true",
            help="replace existing users and files, which are lost",
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
            self.stdout.write("Dry run: nothing was changed.")
            return
        self.stdout.write(
            "Restored. Start the console: it applies newer migrations by itself, and "
            "jobs that were running resume from their last checkpoint."
        )
