"""Filters of the jobs list, shared by API and page."""

import django_filters
from drf_spectacular.utils import extend_schema_field

from lora_pipeline.api.fields import ANY_TEXT
from lora_pipeline.api.filters import MomentFilter
from training.domain.lifecycle import STATUSES
from training.models import TrainingJob


class StatusFilter(django_filters.MultipleChoiceFilter):
    """One or more statuses; an unknown one is rejected with the allowed values."""

    def __init__(self) -> None:
        words = f"Received '%(value)s'; choose from: {', '.join(STATUSES)}."
        super().__init__(
            choices=[(status, status) for status in STATUSES],
            distinct=False,
            error_messages={"invalid_choice": words},
        )


SEARCH = {
    "type": "string",
    "maxLength": 200,
    "pattern": ANY_TEXT,
    "description": "Text contained in the name.",
}


class JobFilter(django_filters.FilterSet):
    """Status, dataset, creation time, and text in the name."""

    status = StatusFilter()
    dataset = django_filters.UUIDFilter(field_name="dataset_id")
    created_after = MomentFilter(field_name="created_at", lookup_expr="gte")
    created_before = MomentFilter(field_name="created_at", lookup_expr="lt")
    search = extend_schema_field(SEARCH)(
        django_filters.CharFilter(
            field_name="name", lookup_expr="icontains", max_length=200
        )
    )

    class Meta:
        model = TrainingJob
        fields = ["status", "dataset", "search"]
