"""The GPU types and the base model that every console begins with."""

from django.apps.registry import Apps
from django.db import migrations
from django.db.backends.base.schema import BaseDatabaseSchemaEditor

from training.domain.catalogue.first_rows import PRELOADED


def add_gpu_types(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    gpu_types = apps.get_model("training", "GpuType")
    for facts in PRELOADED:
        gpu_types.objects.create(
            name=facts.name,
            usd_per_hour=facts.usd_per_hour,
            tokens_per_second=facts.tokens_per_second,
            memory_gb=facts.memory_gb,
            description=facts.description,
            max_count=facts.max_count,
            storage_cost=facts.storage_cost,
        )


def add_base_models(apps: Apps, editor: BaseDatabaseSchemaEditor) -> None:
    apps.get_model("training", "BaseModel").objects.create(
        id="HuggingFaceTB/SmolLM2-135M-Instruct",
        name="SmolLM2 135M Instruct",
        source="hub",
        parameters=134_515_008,
        note="Apache-2.0; small enough to train on a processor.",
    )


class Migration(migrations.Migration):
    dependencies = [("training", "0002_row_security")]
    operations = [
        migrations.RunPython(add_gpu_types, migrations.RunPython.noop),
        migrations.RunPython(add_base_models, migrations.RunPython.noop),
    ]
