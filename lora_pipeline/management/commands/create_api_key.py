"""`manage.py create_api_key USERNAME`: a key for scripts, shown once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from lora_pipeline.models import ApiKey, User
from lora_pipeline.services import create_api_key


class Command(BaseCommand):
    help = "Make an API key for a user and print it; it cannot be shown again."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("username")
        parser.add_argument("--name", default="command line")
        parser.add_argument(
            "--scope", choices=ApiKey.Scope.values, default=ApiKey.Scope.WRITE
        )

    def handle(self, *args: Any, **options: Any) -> None:
        owner = User.objects.filter(username=options["username"]).first()
        if owner is None:
            raise CommandError(
                f"There is no user {options['username']!r}: make one with "
                "'manage.py createsuperuser' or on the admin's users page."
            )
        words = {"name": options["name"], "scope": options["scope"]}
        self.stdout.write(create_api_key(owner=owner, **words)[1])
