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
        """Lets indexes name operator classes, without what else Django's PostgreSQL app
        does: it asks each new connection for types that no table here has.
        """
        IndexExpression.register_wrappers(OrderBy, OpClass, Collate)
