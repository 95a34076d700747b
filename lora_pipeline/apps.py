"""App configuration of the console itself."""

from django.apps import AppConfig
from django.contrib.postgres.indexes import OpClass
from django.db.models.expressions import OrderBy
from django.db.models.functions import Collate
from django.db.models.indexes import IndexExpression


class LoraPipelineConfig(AppConfig):
    name = "lora_pipeline"
    verbose_name = "Users and keys"

    def ready(self) -> None:
        """Register the checks of roles and policies, and let indexes name operator
        classes. Django's PostgreSQL app would do that too, and ask each new connection
        for types that no table here has.
        """
        from lora_pipeline.postgres import checks  # noqa: F401, PLC0415 - models can be imported once all apps are there

        IndexExpression.register_wrappers(OrderBy, OpClass, Collate)
