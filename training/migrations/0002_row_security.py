"""Jobs, and all that hangs off them, are seen by their owner only."""

from django.db import migrations

from lora_pipeline.postgres.row_security import child_policies, owner_policies

CHILDREN = (
    "run_attempts",
    "metric_points",
    "job_events",
    "checkpoints",
    "adapters",
    "cost_records",
)


class Migration(migrations.Migration):
    dependencies = [
        ("training", "0001_initial"),
        ("lora_pipeline", "0002_grants"),
    ]
    operations = [
        migrations.RunSQL(*owner_policies("training_jobs")),
        *(
            migrations.RunSQL(*child_policies(table, "job_id", "training_jobs"))
            for table in CHILDREN
        ),
    ]
