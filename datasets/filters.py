"""Filters of the datasets list, shared by API and page."""

import django_filters
from django.db.models import Q, QuerySet

from datasets.domain.formats.declared import BY_NAME
from datasets.models import Dataset
from lora_pipeline.api.filters import MomentFilter

STATUSES = tuple(Dataset.Status.values)


def one_of(allowed: tuple[str, ...]) -> django_filters.MultipleChoiceFilter:
    """One or more values; an unknown one is rejected with the allowed values."""
    words = f"Received '%(value)s'; choose from: {', '.join(allowed)}."
    return django_filters.MultipleChoiceFilter(
        choices=[(value, value) for value in allowed],
        error_messages={"invalid_choice": words},
    )


class DatasetFilter(django_filters.FilterSet):
    """Status, format, readiness, upload time, and text in name or file name."""

    status = one_of(STATUSES)
    format = one_of(tuple(BY_NAME))
    training_ready = django_filters.BooleanFilter()
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")
    search = django_filters.CharFilter(method="search_in")

    class Meta:
        model = Dataset
        fields = ["status", "format", "training_ready", "search"]

    def search_in(
        self, rows: QuerySet[Dataset], name: str, value: str
    ) -> QuerySet[Dataset]:
        """Text in the name, the description or the file's name."""
        words = value.replace("\x00", "")
        return rows.filter(
            Q(name__icontains=words)
            | Q(description__icontains=words)
            | Q(file_name__icontains=words)
        )
