"""Filters shared by several lists."""

from datetime import UTC, datetime
from typing import Any

import django_filters
from django import forms
from django_filters.fields import IsoDateTimeField


class UtcField(IsoDateTimeField):
    """A UTC datetime: unlike Python, PostgreSQL rejects offsets beyond 16 hours."""

    def clean(self, value: Any) -> datetime | None:
        found = super().clean(value)
        try:
            return None if found is None else found.astimezone(UTC)
        except OverflowError:
            words = "Must be between the years 1 and 9999 in UTC."
            raise forms.ValidationError(words) from None


class MomentFilter(django_filters.IsoDateTimeFilter):
    """ISO 8601, with or without an offset."""

    field_class = UtcField
