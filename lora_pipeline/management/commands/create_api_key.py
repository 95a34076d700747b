"""`manage.py create_api_key USERNAME`: a key for scripts, shown once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lora_pipeline.accounts.services import create_api_key
from lora_pipeline.models import ApiKey, User

MOST_DAYS = 3650


class Command(BaseCommand):
    help = "Create an API key for a user and print it. It cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", default="command line")
        parser.add_argument(
            "--scope", choices=ApiKey.Scope.values, default=ApiKey.Scope.WRITE
        )
        parser.add_argument(
            "--days", type=int, help="days until it expires; default: never"
        )

    def handle(self, *args: Any, **options: Any) -> None:
        owner = User.objects.filter(username=options["username"]).first()
        if owner is None:
            raise CommandError(
                f"There is no user {options['username']!r}. Create one with "
                "'manage.py createsuperuser' or on the users page of the admin."
            )
        if options["days"] is not None and not 1 <= options["days"] <= MOST_DAYS:
            raise CommandError(
                f"--days {options['days']}: use 1 to {MOST_DAYS}, or leave it out."
            )
        words = {name: options[name] for name in ("name", "scope", "days")}
        self.stdout.write(create_api_key(owner=owner, **words)[1])
