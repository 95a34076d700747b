"""Sessions are kept under the hash of their key; everybody signs in once more.

The keys of before could be read in the admin, so none of them stays good.
"""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("lora_pipeline", "0002_rules")]
    operations = [
        migrations.RunSQL("DELETE FROM browser_sessions", migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="browsersession",
            name="session_key",
            field=models.CharField(
                editable=False,
                max_length=64,
                primary_key=True,
                serialize=False,
                verbose_name="SHA-256 of the key",
            ),
        ),
    ]
