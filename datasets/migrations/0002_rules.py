"""Datasets are seen by their owner only, statistics by whoever sees their dataset."""

from django.db import migrations

from lora_pipeline.postgres.row_security import child_policies, owner_policies


class Migration(migrations.Migration):
    dependencies = [
        ("datasets", "0001_initial"),
        ("lora_pipeline", "0002_rules"),
    ]
    operations = [
        migrations.RunSQL(*owner_policies("datasets")),
        migrations.RunSQL(
            *child_policies("dataset_statistics", "dataset_id", "datasets")
        ),
    ]
