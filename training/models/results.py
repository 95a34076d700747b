"""Results of a job: its adapter, its cost, exports and side-by-side answers."""

import uuid
from uuid import UUID

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser
from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models.functions import Upper
from django.urls import get_script_prefix

from training.models.jobs import TrainingJob


class AdapterQuerySet(models.QuerySet["Adapter"]):
    """Queries for adapters."""

    def visible_to(self, user: AbstractBaseUser) -> "AdapterQuerySet":
        """The user's own adapters, without deleted ones."""
        return self.filter(user_id=user.pk, deleted_at=None)

    def with_job(self) -> "AdapterQuerySet":
        """Joined with the job and the export."""
        return self.select_related("job__base_model", "export")

    def find(self, adapter_id: UUID | str) -> "Adapter | None":
        """The adapter with this id, or None."""
        return self.filter(pk=adapter_id).first()


class Adapter(models.Model):
    """The trained LoRA weights of a job, as an archive in the storage.

    A deleted adapter keeps its row, so that its version is not reused; its files go.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="adapters"
    )
    job = models.OneToOneField(
        TrainingJob, on_delete=models.CASCADE, related_name="adapter"
    )
    name = models.CharField(max_length=200)
    version = models.PositiveIntegerField()
    lineage = models.JSONField(default=dict)
    training_loss = models.FloatField(null=True)
    validation_loss = models.FloatField(null=True)
    best_validation_loss = models.FloatField(null=True)
    storage_path = models.CharField(max_length=500)
    size_bytes = models.BigIntegerField()
    archive_sha256 = models.CharField(max_length=64)
    adapter_sha256 = models.CharField(max_length=64)
    created_at = models.DateTimeField(auto_now_add=True)
    deleted_at = models.DateTimeField(null=True)

    objects = AdapterQuerySet.as_manager()

    class Meta:
        db_table = "adapters"
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["user", "-created_at", "-id"], name="adapters_list"),
            models.Index(fields=["-created_at", "-id"], name="adapters_newest"),
            models.Index(
                OpClass(Upper("name"), "text_pattern_ops"), name="adapters_by_name"
            ),
        ]
        constraints = [
            models.UniqueConstraint(
                fields=["user", "name", "version"], name="adapter_versioned"
            )
        ]

    def __str__(self) -> str:
        return f"{self.name} v{self.version}"

    def get_absolute_url(self) -> str:
        return f"{get_script_prefix()}adapters/{self.pk}"


class CostRecord(models.Model):
    """The final cost of a job; written once, never changed."""

    job = models.OneToOneField(
        TrainingJob, on_delete=models.CASCADE, related_name="cost_record"
    )
    running_seconds = models.FloatField()
    compute_usd = models.DecimalField(max_digits=12, decimal_places=4)
    storage_usd = models.DecimalField(max_digits=12, decimal_places=4)
    total_usd = models.DecimalField(max_digits=12, decimal_places=4)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        db_table = "cost_records"
        ordering = ["-created_at"]
        indexes = [models.Index(fields=["created_at"], name="costs_by_age")]

    def __str__(self) -> str:
        return f"{self.total_usd} USD for {self.job_id}"


class Work(models.TextChoices):
    """Status of a task that the worker gives to a trainer."""

    WAITING = "waiting", "Waiting"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"


class AdapterExport(models.Model):
    """An adapter merged into its base model, as an archive of a model folder."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    adapter = models.OneToOneField(
        Adapter, on_delete=models.CASCADE, related_name="export"
    )
    status = models.CharField(max_length=10, choices=Work, default=Work.WAITING)
    stage = models.CharField(max_length=100, blank=True)
    error = models.TextField(blank=True)
    storage_path = models.CharField(max_length=500, blank=True)
    size_bytes = models.BigIntegerField(null=True)
    archive_sha256 = models.CharField(max_length=64, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "adapter_exports"

    def __str__(self) -> str:
        return f"export of {self.adapter_id}"

    @property
    def is_settled(self) -> bool:
        return self.status in {Work.DONE, Work.FAILED}


class AdapterQuestion(models.Model):
    """A question to the base model and the adapter, with both answers."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    adapter = models.ForeignKey(
        Adapter, on_delete=models.CASCADE, related_name="questions"
    )
    system = models.TextField(blank=True)
    question = models.TextField()
    max_new_tokens = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=Work, default=Work.WAITING)
    stage = models.CharField(max_length=100, blank=True)
    base_answer = models.TextField(null=True)  # noqa: DJ001 - null: not answered yet
    adapter_answer = models.TextField(null=True)  # noqa: DJ001 - null: not yet
    error = models.TextField(blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True)
    completed_at = models.DateTimeField(null=True)

    class Meta:
        db_table = "adapter_questions"
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["adapter", "-created_at"], name="questions_list")
        ]

    def __str__(self) -> str:
        """Contains no text of the question, because it appears in titles and logs."""
        return f"question of {self.created_at:%Y-%m-%d %H:%M}"

    @property
    def is_settled(self) -> bool:
        return self.status in {Work.DONE, Work.FAILED}
