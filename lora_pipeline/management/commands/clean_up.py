"""`manage.py clean_up`: what the worker does every night, now, or only said."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from lora_pipeline.operations import retention


class Command(BaseCommand):
    help = "Remove what is kept no longer, by the RETENTION_… settings."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--dry-run", action="store_true", help="only say it")

    def handle(self, *args: Any, **options: Any) -> None:
        verb = "would remove" if options["dry_run"] else "removed"
        for freed in retention.clean_up(dry_run=options["dry_run"]):
            self.stdout.write(f"{verb} {freed}")
