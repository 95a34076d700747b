"""Serializer fields that do not coerce JSON types."""

from collections.abc import Mapping
from functools import cache
from typing import Any, ClassVar

from drf_spectacular.extensions import (
    OpenApiSerializerExtension,
    OpenApiSerializerFieldExtension,
)
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from lora_pipeline.api.error_docs import Schema
from lora_pipeline.names import unknown_names

OBJECT_OR_NULL: Schema = {"type": ["object", "null"], "additionalProperties": {}}

ANY_TEXT = r"^[^\u0000]*$"
SOME_TEXT = r"^[^\u0000]*[^\u0000\s][^\u0000]*$"


class Text(serializers.CharField):
    """A JSON string; a number is rejected instead of converted."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            raise serializers.ValidationError("Must be a string.")
        return super().to_internal_value(data)


class TextScheme(OpenApiSerializerFieldExtension):  # type: ignore[no-untyped-call]
    """Schema pattern: no NUL characters, and not blank where a value is required."""

    target_class = "lora_pipeline.api.fields.Text"

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        blank = self.target.allow_blank or not self.target.trim_whitespace
        schema = {"type": "string", "pattern": ANY_TEXT if blank else SOME_TEXT}
        longest = self.target.max_length
        least = {} if self.target.allow_blank else {"minLength": 1}
        return schema | least | ({} if longest is None else {"maxLength": longest})


@extend_schema_field(OBJECT_OR_NULL)
class Facts(serializers.JSONField):
    """Schema of an object, or null."""


class StrictSerializer(serializers.Serializer[Any]):
    """A body, or part of one, whose every key must be known.

    `also_called` has what other tools call our settings. A form's CSRF token is no key.
    """

    also_called: ClassVar[Mapping[str, str]] = {}

    def to_internal_value(self, data: Any) -> Any:
        """The validated values; all faults at once, unknown keys among them."""
        given = set(data) - {"csrfmiddlewaretoken"} if isinstance(data, Mapping) else ()
        faults: Any = unknown_names(given, self.fields, self.also_called)
        try:
            values = super().to_internal_value(data)
        except serializers.ValidationError as error:
            found: Any = error.detail
            raise serializers.ValidationError({**found, **faults}) from None
        if faults:
            raise serializers.ValidationError(faults)
        return values


class StrictScheme(OpenApiSerializerExtension):  # type: ignore[no-untyped-call]
    """The schema of a body that takes no other keys."""

    target_class = "lora_pipeline.api.fields.StrictSerializer"
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> Schema:
        found: Schema = auto_schema._map_serializer(
            self.target, direction, bypass_extensions=True
        )
        return found | {"additionalProperties": False}


class BodySerializer(StrictSerializer):
    """Takes bodies by fields that are made once a class, not once a request.

    Its fields check a value and keep nothing of it; one that needed the request, or the
    other values, would not do here.
    """

    @property
    def fields(self) -> Any:
        return fields_of(type(self))


@cache
def fields_of(kind: type[BodySerializer]) -> Any:
    """The bound fields of a serializer that no body was given to."""
    return serializers.Serializer.fields.func(kind())  # type: ignore[attr-defined]
