"""Owner policies for what hangs off a user directly: keys, notices, the admin's log.

Users themselves have none: signing in looks a name up before anybody is known.
"""

from django.db import migrations

from lora_pipeline.postgres.row_security import (
    child_policies,
    owner_policies,
    signing_in_policies,
)

OWNED = [
    "notifications",
    "notification_preferences",
    "webhooks",
    "lora_pipeline_user_groups",
    "lora_pipeline_user_user_permissions",
    "django_admin_log",
]


class Migration(migrations.Migration):
    dependencies = [
        ("lora_pipeline", "0004_hardening"),
        ("notifications", "0002_channels"),
        ("admin", "0003_logentry_add_action_flag_choices"),
    ]
    operations = [
        *(migrations.RunSQL(*owner_policies(table)) for table in OWNED),
        migrations.RunSQL(*signing_in_policies("api_keys")),
        migrations.RunSQL(
            *child_policies(
                "notification_deliveries", "notification_id", "notifications"
            )
        ),
    ]
