"""How often a task's worker died while it was at it."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("lora_pipeline", "0006_sessions")]
    operations = [
        migrations.CreateModel(
            name="TaskDeath",
            fields=[
                ("job_id", models.BigIntegerField(primary_key=True, serialize=False)),
                ("count", models.PositiveIntegerField()),
                ("last_at", models.DateTimeField()),
            ],
            options={"db_table": "task_deaths"},
        ),
    ]
