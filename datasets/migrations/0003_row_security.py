"""Datasets are seen by their owner only."""

from django.db import migrations

from lora_pipeline.postgres.row_security import owner_policies


class Migration(migrations.Migration):
    dependencies = [
        ("datasets", "0002_initial"),
        ("lora_pipeline", "0002_grants"),
    ]
    operations = [migrations.RunSQL(*owner_policies("datasets"))]
