"""Sessions of others are out of view once somebody is known."""

from django.db import migrations

from lora_pipeline.row_security import session_policies


class Migration(migrations.Migration):
    dependencies = [("lora_pipeline", "0005_isolation")]
    operations = [migrations.RunSQL(*session_policies("browser_sessions"))]
