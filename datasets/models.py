"""Datasets: an uploaded file, its normalised splits and their statistics."""

import uuid
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models.functions import Coalesce, JSONObject

from datasets.domain.by_hand import preference_of
from datasets.domain.counts import FIELDS, Counts
from datasets.domain.formats.declared import BY_NAME, Format
from datasets.domain.lengths import Lengths
from datasets.domain.split import SPLIT_SEED, VALIDATION_SHARE
from datasets.domain.statistics import NEVER, Signal, signal
from lora_pipeline.models import User


class DatasetQuerySet(models.QuerySet["Dataset"]):
    """Reads shared by pages, API and admin."""

    def visible_to(self, user: "User") -> "DatasetQuerySet":
        """The user's datasets, without deleted ones."""
        return self.filter(user=user, deleted_at=None)

    def listed(self) -> "DatasetQuerySet":
        """Without the large columns that lists do not show."""
        return self.defer(
            "validation_errors", "validation_warnings", "sample_data", "label_starts"
        )

    def deleted_of(self, user: "User") -> "DatasetQuerySet":
        """The user's deleted datasets, which can be restored."""
        mine = self.filter(user=user, files_removed_at=None)
        return mine.exclude(deleted_at=None)

    def with_files(self) -> "DatasetQuerySet":
        """Those whose files are there, be they deleted."""
        return self.filter(files_removed_at=None)

    def same_content(self, dataset: "Dataset") -> "DatasetQuerySet":
        """The owner's other datasets with identical files."""
        return self.filter(
            user=dataset.user_id, sha256=dataset.sha256, deleted_at=None
        ).exclude(pk=dataset.pk)

    def trainable(self) -> "DatasetQuerySet":
        """Datasets that a job can train on."""
        return self.filter(status="ready", training_ready=True)

    def with_counts(self, base_model: str, default: str) -> "DatasetQuerySet":
        """Each with `counted`: its train split in tokens (domain/counts.py).

        From the base model's tokenizer, else the default model's; None before either
        has been measured. Adds no extra query.
        """
        own = DatasetStatistics.objects.filter(dataset=models.OuterRef("pk"))
        fields = JSONObject(**{name: name for name in FIELDS})
        asked, other = (
            models.Subquery(
                own.filter(base_model=name)
                .order_by()
                .annotate(facts=fields)
                .values("facts")[:1]
            )
            for name in (base_model, default)
        )
        return self.annotate(counted=Coalesce(asked, other))

    def find(self, dataset_id: UUID | str) -> "Dataset | None":
        """The dataset with this id, or None."""
        return self.filter(pk=dataset_id).first()


class Dataset(models.Model):
    """Conversations uploaded to train on."""

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
    version = models.PositiveIntegerField(default=1)
    previous = models.ForeignKey(
        "self", null=True, on_delete=models.SET_NULL, related_name="later"
    )
    format = models.CharField(max_length=50, blank=True)
    container = models.CharField(max_length=20, blank=True)
    status = models.CharField(
        max_length=20, choices=Status, default=Status.UPLOADING, db_index=True
    )
    storage_bucket = models.CharField(max_length=100, default="local")
    storage_path = models.CharField(max_length=500, blank=True)
    file_name = models.CharField(max_length=255)
    file_size = models.BigIntegerField(default=0)
    stored_bytes = models.BigIntegerField(default=0, editable=False)
    sha256 = models.CharField(max_length=64, blank=True, db_index=True)
    validation_file_name = models.CharField(max_length=255, blank=True)
    validation_file_path = models.CharField(max_length=500, blank=True)
    validation_share = models.FloatField(default=VALIDATION_SHARE)
    split_seed = models.PositiveIntegerField(default=SPLIT_SEED)
    mapping = models.JSONField(default=dict, blank=True)
    chosen_only = models.BooleanField(default=False)
    skip_bad_rows = models.BooleanField(default=False)
    bad_rows = models.PositiveIntegerField(default=0)
    stage = models.CharField(max_length=20, blank=True)
    progress = models.FloatField(default=0)
    total_training_pairs = models.IntegerField(null=True)
    total_validation_pairs = models.IntegerField(null=True)
    total_tokens = models.BigIntegerField(null=True)
    tokens_exact = models.BooleanField(default=False)
    avg_turns_per_conversation = models.FloatField(null=True)
    avg_tokens_per_turn = models.FloatField(null=True)
    training_ready = models.BooleanField(default=False)
    validated_at = models.DateTimeField(null=True)
    label_starts = models.JSONField(default=list, blank=True)
    validation_errors = models.JSONField(default=list, blank=True)
    validation_warnings = models.JSONField(default=list, blank=True)
    fault_counts = models.JSONField(default=dict, blank=True)
    sample_data = models.JSONField(default=list, blank=True)
    measuring = models.JSONField(default=dict, blank=True, editable=False)
    first_look = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)
    deleted_at = models.DateTimeField(null=True)
    files_removed_at = models.DateTimeField(null=True, editable=False)

    objects = DatasetQuerySet.as_manager()
    counts_asked: tuple[str, Any] = ("", None)
    """A base model, and what `with_counts` found for it; none before anyone asked."""

    class Meta:
        db_table = "datasets"
        ordering = ["-created_at", "-id"]
        indexes = [
            models.Index(fields=["user", "-created_at", "-id"], name="datasets_list")
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def format_title(self) -> str:
        """Display name of the format; empty until it is known."""
        if self.mapping:
            return "mapped by hand"
        found = BY_NAME.get(self.format)
        return found.title if found else self.format

    @property
    def is_preference(self) -> bool:
        """Whether its rows hold answers that must not be learned as they are."""
        return self.is_preference_with(BY_NAME.get(self.format))

    def is_preference_with(self, format: Format | None) -> bool:
        """The same with a format that is not yet on record."""
        kind = format.preference if format else preference_of(self.mapping)
        return bool(kind) and not self.chosen_only

    @property
    def is_unrecognised(self) -> bool:
        """Whether its rows have a format of which we know nothing."""
        return "unknown_format" in self.fault_counts

    @property
    def may_skip_bad_rows(self) -> bool:
        """Whether its errors are those of single rows of a known format."""
        found = self.validation_errors
        return bool(
            self.format
            and self.status == self.Status.ERROR
            and not self.skip_bad_rows
            and found
            and all(fault["line"] is not None for fault in found)
        )

    @property
    def is_trainable(self) -> bool:
        """Whether a job can train on it."""
        return self.status == self.Status.READY and self.training_ready

    @property
    def is_settled(self) -> bool:
        """Whether validation has finished, either way."""
        return self.status in {self.Status.READY, self.Status.ERROR}

    def counts_for(self, base_model: str, default: str) -> Counts | None:
        """Its train split in a base model's tokens, else the default model's.

        No query where it was asked for this model before. None if nothing was measured.
        """
        if self.counts_asked[0] != base_model:
            rows = Dataset.objects.filter(pk=self.pk)
            found = rows.with_counts(base_model, default).first()
            self.counts_asked = base_model, getattr(found, "counted", None)
        stored = self.counts_asked[1]
        return Counts.load(stored) if stored else None

    def training_pairs_at(self, max_length: int) -> int:
        """Training sequences that keep a label when truncated at max_length.

        By the default model's tokenizer. `total_training_pairs` counts those with any
        label; sequences left without one are not trained on.
        """
        total = self.total_training_pairs or 0
        return total - Lengths.load(self.label_starts).over(max_length - 1)

    def split_path(self, split: str) -> str:
        """Storage path of the normalised `train` or `validation` rows."""
        return f"datasets/{self.pk}/{split}.jsonl"

    def index_path(self, split: str) -> str:
        """Storage path of a split's index: byte offsets of every 256th row."""
        return f"datasets/{self.pk}/{split}.index"

    @property
    def percent(self) -> int:
        """Validation progress in percent."""
        return min(int(self.progress * 100), 99)


class DatasetStatisticsQuerySet(models.QuerySet["DatasetStatistics"]):
    """Queries for statistics."""

    def of_model(self, base_model: str) -> "DatasetStatistics | None":
        """The statistics for a base model, or None if not measured yet."""
        return self.filter(base_model=base_model).first()


class DatasetStatistics(models.Model):
    """Token statistics of a dataset's train split for one base model."""

    dataset = models.ForeignKey(
        Dataset, on_delete=models.CASCADE, related_name="statistics"
    )
    base_model = models.CharField(max_length=200)
    exact = models.BooleanField()
    examples = models.PositiveIntegerField()
    turns = models.PositiveBigIntegerField()
    tokens = models.PositiveBigIntegerField()
    supervised_tokens = models.PositiveBigIntegerField()
    refused_by_template = models.PositiveIntegerField()
    last_answer_only = models.PositiveIntegerField()
    unprinted = models.JSONField(default=dict)
    refusals = models.JSONField(default=dict)
    model_facts = models.JSONField(default=dict)
    lengths = models.JSONField()
    never_lengths = models.JSONField(default=list)
    first_learned = models.JSONField()
    last_end = models.JSONField()
    measured_at = models.DateTimeField()

    objects = DatasetStatisticsQuerySet.as_manager()

    class Meta:
        db_table = "dataset_statistics"
        verbose_name_plural = "dataset statistics"
        ordering = ["dataset", "base_model"]
        constraints = [
            models.UniqueConstraint(
                fields=["dataset", "base_model"], name="one_row_a_base_model"
            )
        ]

    def __str__(self) -> str:
        return f"{self.dataset_id} by {self.base_model}"

    @property
    def length_histogram(self) -> Lengths:
        return Lengths.load(self.lengths)

    @property
    def never_learned(self) -> int:
        """Examples without a label at any max_length."""
        return sum(count for start, count in self.first_learned if start == NEVER)

    @property
    def label_starts(self) -> list[list[int]]:
        """Position of the first label, in examples that have one."""
        return [pair for pair in self.first_learned if pair[0] != NEVER]

    @property
    def counts(self) -> Counts:
        """What of the split is trained on, and what is wrong, by this base model."""
        return Counts.load({name: getattr(self, name) for name in FIELDS})

    def signal(self, max_length: int) -> Signal:
        """Number of examples that keep their training signal at a max_length."""
        return signal(
            self.length_histogram,
            Lengths.load(self.first_learned),
            Lengths.load(self.last_end),
            max_length=max_length,
        )
