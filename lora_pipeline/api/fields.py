"""Serializer fields that do not coerce JSON types."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from lora_pipeline.api.error_docs import Schema

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
