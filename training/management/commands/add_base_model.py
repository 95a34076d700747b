"""`manage.py add_base_model ID_OR_PATH`: adds a model with its exact dimensions."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from training.catalogue.add_base_model import CannotAdd, add_base_model


class Command(BaseCommand):
    help = "Read a model's config.json and add it to the catalogue of base models."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "id_or_path", help="a Hugging Face id, or a folder with a config.json"
        )
        parser.add_argument("--id", help="id of the model if it is a folder")
        parser.add_argument("--name", help="display name")
        parser.add_argument("--revision", default="", help="commit or tag on the hub")

    def handle(self, *args: Any, **options: Any) -> None:
        try:
            model = add_base_model(
                options["id_or_path"],
                model_id=options["id"],
                name=options["name"],
                revision=options["revision"],
            )
        except CannotAdd as error:
            raise CommandError(str(error)) from None
        architecture = model.architecture
        assert architecture is not None  # noqa: S101 - add_base_model entered dimensions; for mypy
        self.stdout.write(
            f"{model.pk}: {architecture.parameters:,} parameters, "
            f"{architecture.layers} layers of {architecture.hidden}"
        )
