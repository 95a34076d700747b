"""`manage.py backup TARGET`: database and files in one folder, while running."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lora_pipeline.operations.backup.manifest import BackupRefused
from lora_pipeline.operations.backup.take import back_up


class Command(BaseCommand):
    help = "Back up the database, files, checkpoints and secret key to a new folder."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "target", type=Path, help="folder to create; must not exist yet"
        )
        parser.add_argument(
            "--no-files",
            action="store_true",
            help="database only, if the storage has its own backup",
        )

    def handle(self, *args: Any, **options: Any) -> None:
        target = options["target"].absolute()
        try:
            made = back_up(
                target, say=self.stdout.write, with_files=not options["no_files"]
            )
        except BackupRefused as refused:
            raise CommandError(str(refused)) from None
        size = made.total_bytes / 1e6
        self.stdout.write(
            f"{target}: {len(made.files)} files, {size:.1f} MB. It contains the secret "
            f"key and all users' data: keep it safe. Base models are not included."
        )
