"""Sessions of others are out of view once somebody is known."""

from django.db import migrations

from lora_pipeline.postgres.row_security import signing_in_policies


class Migration(migrations.Migration):
    dependencies = [("lora_pipeline", "0005_isolation")]
    operations = [migrations.RunSQL(*signing_in_policies("browser_sessions"))]
