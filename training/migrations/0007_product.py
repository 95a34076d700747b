"""Adapters with names, versions and origin; exports and questions; more metrics."""

import uuid

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

from lora_pipeline.postgres.row_security import child_policies

NAME_WHAT_IS_THERE = """
UPDATE adapters a SET user_id = j.user_id, name = j.name, version = j.version
FROM (
    SELECT t.id, t.user_id, t.name, row_number() OVER (
        PARTITION BY t.user_id, t.name ORDER BY b.created_at, b.id
    ) AS version
    FROM training_jobs t JOIN adapters b ON b.job_id = t.id
) j WHERE j.id = a.job_id;
"""
WORK = [
    ("waiting", "Waiting"),
    ("running", "Running"),
    ("done", "Done"),
    ("failed", "Failed"),
]


class Migration(migrations.Migration):
    dependencies = [
        ("training", "0006_transitions"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]
    operations = [
        migrations.AddField(
            model_name="metricpoint",
            name="gpu_use",
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name="metricpoint",
            name="gpu_memory_bytes",
            field=models.BigIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="trainingjob",
            name="loss_warning",
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AddField(
            model_name="adapter",
            name="user",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.CASCADE,
                related_name="adapters",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddField(
            model_name="adapter",
            name="name",
            field=models.CharField(max_length=200, null=True),
        ),
        migrations.AddField(
            model_name="adapter",
            name="version",
            field=models.PositiveIntegerField(null=True),
        ),
        migrations.AddField(
            model_name="adapter",
            name="lineage",
            field=models.JSONField(default=dict),
        ),
        migrations.AddField(
            model_name="adapter",
            name="training_loss",
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name="adapter",
            name="validation_loss",
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name="adapter",
            name="best_validation_loss",
            field=models.FloatField(null=True),
        ),
        migrations.AddField(
            model_name="adapter",
            name="deleted_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.RunSQL(NAME_WHAT_IS_THERE, migrations.RunSQL.noop),
        migrations.RunSQL("SET CONSTRAINTS ALL IMMEDIATE", migrations.RunSQL.noop),
        migrations.AlterField(
            model_name="adapter",
            name="user",
            field=models.ForeignKey(
                on_delete=django.db.models.deletion.CASCADE,
                related_name="adapters",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AlterField(
            model_name="adapter",
            name="name",
            field=models.CharField(max_length=200),
        ),
        migrations.AlterField(
            model_name="adapter",
            name="version",
            field=models.PositiveIntegerField(),
        ),
        migrations.AddIndex(
            model_name="adapter",
            index=models.Index(
                fields=["user", "-created_at", "-id"], name="adapters_list"
            ),
        ),
        migrations.AddConstraint(
            model_name="adapter",
            constraint=models.UniqueConstraint(
                fields=("user", "name", "version"), name="adapter_versioned"
            ),
        ),
        migrations.CreateModel(
            name="AdapterExport",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                (
                    "status",
                    models.CharField(choices=WORK, default="waiting", max_length=10),
                ),
                ("stage", models.CharField(blank=True, max_length=100)),
                ("error", models.TextField(blank=True)),
                ("storage_path", models.CharField(blank=True, max_length=500)),
                ("size_bytes", models.BigIntegerField(null=True)),
                ("archive_sha256", models.CharField(blank=True, max_length=64)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("completed_at", models.DateTimeField(null=True)),
                (
                    "adapter",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="export",
                        to="training.adapter",
                    ),
                ),
            ],
            options={"db_table": "adapter_exports"},
        ),
        migrations.CreateModel(
            name="AdapterQuestion",
            fields=[
                (
                    "id",
                    models.UUIDField(
                        default=uuid.uuid4,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("system", models.TextField(blank=True)),
                ("question", models.TextField()),
                ("max_new_tokens", models.PositiveIntegerField()),
                (
                    "status",
                    models.CharField(choices=WORK, default="waiting", max_length=10),
                ),
                ("stage", models.CharField(blank=True, max_length=100)),
                ("base_answer", models.TextField(null=True)),
                ("adapter_answer", models.TextField(null=True)),
                ("error", models.TextField(blank=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                ("started_at", models.DateTimeField(null=True)),
                ("completed_at", models.DateTimeField(null=True)),
                (
                    "adapter",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="questions",
                        to="training.adapter",
                    ),
                ),
            ],
            options={
                "db_table": "adapter_questions",
                "ordering": ["-created_at", "-id"],
                "indexes": [
                    models.Index(
                        fields=["adapter", "-created_at"], name="questions_list"
                    )
                ],
            },
        ),
        *(
            migrations.RunSQL(*child_policies(table, "adapter_id", "adapters"))
            for table in ("adapter_exports", "adapter_questions")
        ),
    ]
