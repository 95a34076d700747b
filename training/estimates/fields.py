"""Strict JSON fields with the product's limits, and their OpenAPI schemas."""

from decimal import Decimal
from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from rest_framework import serializers

from lora_pipeline.api.error_docs import Schema
from training.domain.limits import Limit, shown


class LimitScheme(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A LimitField as a number with its range."""

    target_class = "training.estimates.fields.LimitField"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Schema:
        limit = self.target.limit
        kind = "integer" if limit.whole else "number"
        return {"type": kind, "minimum": limit.minimum, "maximum": limit.maximum}


class UsdScheme(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """An amount as a number with at most four decimals."""

    target_class = "training.estimates.fields.Usd"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Schema:
        limits = {"minimum": 0, "exclusiveMaximum": 10**8, "multipleOf": 0.0001}
        return {"type": "number", **limits}


class FlagScheme(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """A Flag as a boolean."""

    target_class = "training.estimates.fields.Flag"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> Schema:
        return {"type": "boolean"}


class LimitField(serializers.Field[Any, Any, Any, Any]):
    """A JSON number within a Limit; rejects text, true, and 4.5 for a count."""

    def __init__(self, limit: Limit, **options: Any) -> None:
        self.limit = limit
        super().__init__(**options)

    def to_internal_value(self, data: Any) -> float:
        if problem := self.limit.problem(data):
            raise serializers.ValidationError(problem)
        return int(data) if self.limit.whole else float(data)

    def to_representation(self, value: Any) -> Any:
        return value


class RowKey(serializers.UUIDField):
    """A row's id as text; rejects a number, which REST framework would take for one."""

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, str):
            words = f"Received {shown(data)}; must be a UUID as a string."
            raise serializers.ValidationError(words)
        return super().to_internal_value(data)


class Choice(serializers.ChoiceField):
    """A choice whose error says what was received and what is allowed."""

    def to_internal_value(self, data: Any) -> Any:
        if isinstance(data, str) and data in self.choices:
            return data
        words = f"Received {shown(data)}; choose one of: {', '.join(self.choices)}."
        raise serializers.ValidationError(words)


class Flag(serializers.Field[Any, Any, Any, Any]):
    """JSON true or false; rejects "yes" and 1."""

    def to_internal_value(self, data: Any) -> bool:
        if not isinstance(data, bool):
            words = f"Received {shown(data)}; must be true or false."
            raise serializers.ValidationError(words)
        return data

    def to_representation(self, value: Any) -> Any:
        return value


class Usd(serializers.DecimalField):
    """US dollars, at least 0, as a JSON number; rejects text."""

    def __init__(self, **options: Any) -> None:
        super().__init__(
            max_digits=12, decimal_places=4, min_value=Decimal(0), **options
        )

    def to_internal_value(self, data: Any) -> Decimal:
        if isinstance(data, bool) or not isinstance(data, int | float):
            raise serializers.ValidationError(
                f"Received {shown(data)}; must be an amount in USD as a number."
            )
        return super().to_internal_value(data)
