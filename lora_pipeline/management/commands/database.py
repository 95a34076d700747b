"""`manage.py database`: where the embedded database is, and care for its files."""

from pathlib import Path
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from lora_pipeline.postgres.maintenance import new_passwords
from lora_pipeline.postgres.places import existing_root
from lora_pipeline.postgres.upgrade import upgrade


class Command(BaseCommand):
    help = (
        "Say where the embedded database is; care for it while the console is stopped."
    )
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", required=True)
        actions.add_parser("where", help="print the folder of its files")
        newer = actions.add_parser(
            "upgrade",
            help="take it over to the installed major version of PostgreSQL; the old "
            "files are kept",
        )
        newer.add_argument(
            "--programs", type=Path, help="folder of the old version's programs"
        )
        actions.add_parser(
            "new-passwords", help="replace the passwords whose file is lost"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.DATABASE_EMBEDDED:
            raise CommandError("DATABASE_URL is set: the database is not embedded.")
        var_dir = Path(settings.VAR_DIR)
        if options["action"] == "where":
            root = existing_root(var_dir.resolve(), None)
            self.stdout.write(str(root or f"none yet in {var_dir}"))
        elif options["action"] == "upgrade":
            upgrade(var_dir, programs=options["programs"], say=self.stdout.write)
        else:
            self.stdout.write(f"new passwords are in {new_passwords(var_dir)}")
