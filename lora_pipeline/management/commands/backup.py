"""`manage.py backup TARGET`: database and files in one folder, while all goes on."""

from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lora_pipeline.operations.backup.manifest import BackupRefused
from lora_pipeline.operations.backup.take import back_up


class Command(BaseCommand):
    help = "Copy database, files, checkpoints and secret key into a new folder."
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("target", type=Path, help="a folder that does not exist")
        parser.add_argument(
            "--no-files",
            action="store_true",
            help="the database alone, where the storage has a backup of its own",
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
            f"{target}: {len(made.files)} files, {size:.1f} MB. It holds the secret "
            f"key and everybody's data: keep it safe. Base models are not in it."
        )
