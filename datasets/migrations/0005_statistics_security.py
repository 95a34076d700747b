"""Statistics are seen by whoever sees their dataset."""

from django.db import migrations

from lora_pipeline.postgres.row_security import child_policies


class Migration(migrations.Migration):
    dependencies = [("datasets", "0004_formats_and_statistics")]
    operations = [
        migrations.RunSQL(
            *child_policies("dataset_statistics", "dataset_id", "datasets")
        )
    ]
