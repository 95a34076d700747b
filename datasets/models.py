"""Datasets: an uploaded file, its normalised splits and what is known of them."""

import uuid

from django.conf import settings
from django.db import models

from datasets.querysets import DatasetQuerySet


class Dataset(models.Model):
    """Conversations that somebody uploaded to train on."""

    class Status(models.TextChoices):
        UPLOADING = "uploading", "Uploading"
        VALIDATING = "validating", "Checking"
        READY = "ready", "Ready"
        ERROR = "error", "Has errors"

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="datasets"
    )
    name = models.CharField(max_length=200)
    description = models.TextField(blank=True)
    format = models.CharField(max_length=50, blank=True)
    status = models.CharField(
        max_length=20, choices=Status, default=Status.UPLOADING, db_index=True
    )
    storage_bucket = models.CharField(max_length=100, default="local")
    storage_path = models.CharField(max_length=500, blank=True)
    file_name = models.CharField(max_length=255)
    file_size = models.BigIntegerField(default=0)
    sha256 = models.CharField(max_length=64, blank=True)
    total_training_pairs = models.IntegerField(null=True)
    total_validation_pairs = models.IntegerField(null=True)
    total_tokens = models.BigIntegerField(null=True)
    tokens_exact = models.BooleanField(default=False)
    avg_turns_per_conversation = models.FloatField(null=True)
    avg_tokens_per_turn = models.FloatField(null=True)
    training_ready = models.BooleanField(default=False)
    validated_at = models.DateTimeField(null=True)
    validation_errors = models.JSONField(default=list, blank=True)
    sample_data = models.JSONField(default=list, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True)

    objects = DatasetQuerySet.as_manager()

    class Meta:
        db_table = "datasets"
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["user", "-created_at", "-id"], name="datasets_list")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def is_trainable(self) -> bool:
        """Whether a job may be created from it."""
        return self.status == self.Status.READY and self.training_ready

    @property
    def is_settled(self) -> bool:
        """Whether checking has ended, one way or the other."""
        return self.status in {self.Status.READY, self.Status.ERROR}

    def split_path(self, split: str) -> str:
        """Where the normalised `train` or `validation` rows lie in the storage."""
        return f"datasets/{self.pk}/{split}.jsonl"
