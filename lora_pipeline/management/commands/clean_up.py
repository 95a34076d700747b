"""`manage.py clean_up`: run the nightly clean-up now, or as a dry run."""

from typing import Any

from django.core.management.base import BaseCommand, CommandParser

from lora_pipeline.operations import retention


class Command(BaseCommand):
    help = "Remove expired data according to the RETENTION_… settings."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--dry-run", action="store_true", help="only print what would be removed"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        verb = "would remove" if options["dry_run"] else "removed"
        for freed in retention.clean_up(dry_run=options["dry_run"]):
            self.stdout.write(f"{verb} {freed}")
