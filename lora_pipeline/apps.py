"""App configuration of the console itself."""

from django.apps import AppConfig
from django.contrib.postgres.indexes import OpClass
from django.db.models.expressions import OrderBy
from django.db.models.functions import Collate
from django.db.models.indexes import IndexExpression

from lora_pipeline.files.closed import write_for_ourselves


class LoraPipelineConfig(AppConfig):
    name = "lora_pipeline"
    verbose_name = "Users and API keys"

    def ready(self) -> None:
        """Close what this process writes to others, whichever process it is.

        Register the checks of roles and policies, and let indexes use operator
        classes. Django's PostgreSQL app does the latter too, but queries every new
        connection for types that no table here uses.
        """
        from lora_pipeline.postgres import checks  # noqa: F401, PLC0415 - models can be imported once all apps are there

        write_for_ourselves()
        IndexExpression.register_wrappers(OrderBy, OpClass, Collate)
