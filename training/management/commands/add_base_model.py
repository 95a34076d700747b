"""`manage.py add_base_model ID_OR_PATH`: adds a model with its exact dimensions."""

from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser

from datasets.models import DatasetStatistics
from training.catalogue.add_base_model import CannotAdd, add_base_model
from training.models import BaseModel


class Command(BaseCommand):
    help = "Read a causal model's config.json and add it to the base models."

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
        DatasetStatistics.objects.filter(base_model=model.pk).delete()
        self.stdout.write(f"{model.pk}: {described(model)}")


def described(model: BaseModel) -> str:
    """What is known of a model, and what its estimates lack."""
    count = "unknown" if model.parameters is None else f"{model.parameters:,}"
    if (architecture := model.architecture) is not None:
        return (
            f"{count} parameters, {architecture.layers} layers of {architecture.hidden}"
        )
    return (
        f"{count} parameters; its dimensions are not known, so its estimates are the "
        "catalogue's, without a memory check"
    )
