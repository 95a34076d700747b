"""Datasets in the admin: metadata and statistics, never their content."""

from django.contrib import admin
from django.http import HttpRequest

from datasets.models import Dataset, DatasetStatistics
from datasets.services import delete_dataset, restore_dataset
from lora_pipeline.admin_site.base import ReadOnlyAdmin, ReadOnlyRows
from lora_pipeline.admin_site.bulk_actions import bulk_action
from lora_pipeline.errors import Refusal

TEXTS = ("sample_data", "validation_errors", "validation_warnings", "label_starts")
COUNTS = ("lengths", "first_learned", "last_end")


def delete(dataset: Dataset) -> None:
    """Raises Refusal for one that is deleted."""
    if dataset.deleted_at is not None:
        raise Refusal("It is already deleted.")
    delete_dataset(dataset=dataset)


def restore(dataset: Dataset) -> None:
    """Raises Refusal for one that is not deleted."""
    if dataset.deleted_at is None:
        raise Refusal("It is not deleted.")
    restore_dataset(dataset=dataset)


class StatisticsRows(ReadOnlyRows):
    """Token statistics for each base model."""

    model = DatasetStatistics
    fields = (
        "base_model", "exact", "examples", "tokens", "supervised_tokens", "measured_at",
    )  # fmt: skip
    verbose_name_plural = "statistics"


@admin.register(Dataset)
class DatasetAdmin(ReadOnlyAdmin):
    """Files, errors by kind and statistics; no examples, no text quoted from them."""

    hidden = TEXTS
    list_deferred = TEXTS
    list_display = (
        "name", "user", "version", "status", "format", "file_size",
        "total_training_pairs", "created_at", "deleted_at",
    )  # fmt: skip
    list_select_related = ("user",)
    list_filter = ("status", "training_ready")
    ordering = ("-created_at",)
    search_owner, search_start = "user", "name"
    inlines = (StatisticsRows,)
    actions = (
        bulk_action(
            "Delete",
            lambda dataset, by: delete(dataset),
            permission="remove",
            warning="Owners will no longer see these datasets. You can restore them.",
        ),
        bulk_action(
            "Restore",
            lambda dataset, by: restore(dataset),
            permission="remove",
        ),
    )

    def has_remove_permission(self, request: HttpRequest) -> bool:
        """Rows stay. The delete permission lets operators hide and restore datasets."""
        return self.may(request, "delete")


@admin.register(DatasetStatistics)
class DatasetStatisticsAdmin(ReadOnlyAdmin):
    """Token statistics of a dataset for one base model."""

    hidden = COUNTS
    list_deferred = COUNTS
    list_display = (
        "dataset", "base_model", "exact", "examples", "tokens", "supervised_tokens",
        "measured_at",
    )  # fmt: skip
    list_select_related = ("dataset",)
    ordering = ("-pk",)
    search_start = "base_model"
