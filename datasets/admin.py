"""Operators' view of datasets: what is known of them, not what they say."""

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
        raise Refusal("It was deleted before.")
    delete_dataset(dataset=dataset)


def restore(dataset: Dataset) -> None:
    """Raises Refusal for one that is not deleted."""
    if dataset.deleted_at is None:
        raise Refusal("It is not deleted.")
    restore_dataset(dataset=dataset)


class StatisticsRows(ReadOnlyRows):
    """What each base model's tokenizer makes of it."""

    model = DatasetStatistics
    fields = (
        "base_model", "exact", "examples", "tokens", "supervised_tokens", "measured_at",
    )  # fmt: skip
    verbose_name_plural = "statistics"


@admin.register(Dataset)
class DatasetAdmin(ReadOnlyAdmin):
    """Files, faults by kind, statistics; no example, no text quoted in a fault."""

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
            warning="Their owners no longer see these datasets. Restoring undoes it.",
        ),
        bulk_action(
            "Restore",
            lambda dataset, by: restore(dataset),
            permission="remove",
        ),
    )

    def has_remove_permission(self, request: HttpRequest) -> bool:
        """Rows stay; whoever may delete datasets may put them out of sight and back."""
        return self.may(request, "delete")


@admin.register(DatasetStatistics)
class DatasetStatisticsAdmin(ReadOnlyAdmin):
    """What one base model's tokenizer makes of a dataset."""

    hidden = COUNTS
    list_deferred = COUNTS
    list_display = (
        "dataset", "base_model", "exact", "examples", "tokens", "supervised_tokens",
        "measured_at",
    )  # fmt: skip
    list_select_related = ("dataset",)
    ordering = ("-pk",)
    search_start = "base_model"
