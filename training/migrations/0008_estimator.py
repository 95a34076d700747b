"""Facts of GPUs and models, what a job expects, and what runs taught."""

import django.contrib.postgres.fields
import django.db.models.deletion
from django.db import migrations, models

import training.models
from lora_pipeline.postgres.row_security import child_policies


class Migration(migrations.Migration):
    dependencies = [
        ("training", "0007_product"),
    ]

    operations = [
        migrations.CreateModel(
            name="CalibrationScore",
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
                ("target", models.CharField(max_length=20)),
                ("score", models.FloatField()),
                ("inside", models.BooleanField()),
                ("created_at", models.DateTimeField(auto_now_add=True)),
            ],
            options={
                "db_table": "calibration_scores",
                "ordering": ["id"],
            },
        ),
        migrations.AddField(
            model_name="basemodel",
            name="dimensions",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text="Layers, widths and vocabulary, as add_base_model enters them.",
                validators=[training.models.check_dimensions],
            ),
        ),
        migrations.AddField(
            model_name="basemodel",
            name="dimensions_source",
            field=models.CharField(blank=True, max_length=300),
        ),
        migrations.AddField(
            model_name="basemodel",
            name="fetched_at",
            field=models.DateTimeField(blank=True, editable=False, null=True),
        ),
        migrations.AddField(
            model_name="gputype",
            name="bandwidth_gb_per_second",
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="gputype",
            name="capacity_gib",
            field=models.FloatField(
                blank=True, help_text="What a program can really allocate.", null=True
            ),
        ),
        migrations.AddField(
            model_name="gputype",
            name="evidence",
            field=models.CharField(
                choices=[
                    ("measured", "Measured runs"),
                    ("similar", "Measured on a similar one"),
                    ("none", "No evidence"),
                ],
                default="none",
                max_length=10,
            ),
        ),
        migrations.AddField(
            model_name="gputype",
            name="evidence_note",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="gputype",
            name="family",
            field=models.CharField(
                blank=True,
                choices=[
                    ("a100", "a100"),
                    ("h100", "h100"),
                    ("geforce", "geforce"),
                    ("workstation", "workstation"),
                    ("v100", "v100"),
                    ("b200", "b200"),
                    ("mi300x", "mi300x"),
                    ("cpu", "cpu"),
                ],
                max_length=20,
            ),
        ),
        migrations.AddField(
            model_name="gputype",
            name="link_gb_per_second",
            field=models.FloatField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="gputype",
            name="peak_tflops",
            field=models.JSONField(
                blank=True,
                default=dict,
                help_text='By precision: {"bf16": 312, "fp32": 19.5}.',
            ),
        ),
        migrations.AddField(
            model_name="gputype",
            name="suggested_usd_per_hour",
            field=models.DecimalField(
                blank=True, decimal_places=2, max_digits=10, null=True
            ),
        ),
        migrations.AddField(
            model_name="gputype",
            name="suggestion_note",
            field=models.CharField(blank=True, max_length=200),
        ),
        migrations.AddField(
            model_name="trainingjob",
            name="estimate",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="trainingjob",
            name="estimated_high_cost",
            field=models.DecimalField(decimal_places=4, max_digits=12, null=True),
        ),
        migrations.AddField(
            model_name="trainingjob",
            name="plan",
            field=models.JSONField(null=True),
        ),
        migrations.AddField(
            model_name="trainingjob",
            name="remaining",
            field=models.JSONField(null=True),
        ),
        migrations.CreateModel(
            name="CalibrationCell",
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
                ("target", models.CharField(max_length=20)),
                (
                    "key",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=200), size=None
                    ),
                ),
                ("count", models.PositiveIntegerField()),
                ("total", models.FloatField()),
                ("squares", models.FloatField()),
            ],
            options={
                "db_table": "calibration_cells",
                "ordering": ["target", "key"],
                "constraints": [
                    models.UniqueConstraint(
                        fields=("target", "key"), name="one_cell_a_key"
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="CalibrationRecord",
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
                (
                    "kind",
                    models.CharField(
                        choices=[("run", "Run"), ("probe", "Probe")], max_length=10
                    ),
                ),
                (
                    "outcome",
                    models.CharField(
                        choices=[
                            ("completed", "Completed"),
                            ("out_of_memory", "Out of memory"),
                        ],
                        max_length=20,
                    ),
                ),
                ("gpu_type", models.CharField(max_length=50)),
                ("method", models.CharField(max_length=10)),
                ("base_model", models.CharField(max_length=200)),
                ("setup", models.JSONField()),
                ("measured", models.JSONField()),
                ("predicted", models.JSONField()),
                ("time_residual", models.FloatField(null=True)),
                ("memory_residual", models.FloatField(null=True)),
                ("created_at", models.DateTimeField(auto_now_add=True)),
                (
                    "job",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="calibration_record",
                        to="training.trainingjob",
                    ),
                ),
            ],
            options={
                "db_table": "calibration_records",
                "ordering": ["-id"],
            },
        ),
        migrations.RunSQL(
            *child_policies("calibration_records", "job_id", "training_jobs")
        ),
    ]
