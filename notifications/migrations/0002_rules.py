"""Notices, and all about how they are sent, are seen by their owner only."""

from django.db import migrations

from lora_pipeline.postgres.row_security import child_policies, owner_policies

OWNED = ["notifications", "notification_preferences", "webhooks"]


class Migration(migrations.Migration):
    dependencies = [
        ("notifications", "0001_initial"),
        ("lora_pipeline", "0002_rules"),
    ]
    operations = [
        *(migrations.RunSQL(*owner_policies(table)) for table in OWNED),
        migrations.RunSQL(
            *child_policies(
                "notification_deliveries", "notification_id", "notifications"
            )
        ),
    ]
