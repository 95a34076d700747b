"""`manage.py fetch_demo_model`: prepares the bundled base model, once."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError

from training.catalogue.demo_model import FetchFailed, fetch_demo_model


class Command(BaseCommand):
    help = (
        "Download SmolLM2-135M-Instruct and convert it to a folder in var/models, once."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            model = fetch_demo_model(self.stdout.write)
        except FetchFailed as error:
            raise CommandError(str(error)) from None
        self.stdout.write(f"{model.name}: {model.folder}\nsha256 {model.sha256}")
