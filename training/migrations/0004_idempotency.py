"""Idempotency keys, seen by their owner only; an index that counts a list alone."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from lora_pipeline.postgres.row_security import owner_policies


class Migration(migrations.Migration):
    dependencies = [
        ("training", "0003_catalogue"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.CreateModel(
            name="IdempotencyKey",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True,
                        primary_key=True,
                        serialize=False,
                        verbose_name="ID",
                    ),
                ),
                ("key", models.CharField(max_length=255)),
                ("body_sha256", models.CharField(max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "job",
                    models.ForeignKey(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        to="training.trainingjob",
                    ),
                ),
                (
                    "user",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        to=settings.AUTH_USER_MODEL,
                    ),
                ),
            ],
            options={
                "db_table": "idempotency_keys",
                "constraints": [
                    models.UniqueConstraint(
                        fields=["user", "key"], name="one_job_a_key"
                    )
                ],
            },
        ),
        migrations.RunSQL(*owner_policies("idempotency_keys")),
        migrations.RemoveIndex(model_name="trainingjob", name="jobs_list"),
        migrations.AddIndex(
            model_name="trainingjob",
            index=models.Index(
                fields=["user", "-created_at", "-id"],
                condition=models.Q(hidden_at=None),
                name="jobs_list",
            ),
        ),
    ]
