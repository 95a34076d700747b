"""Database rows as JSON, by readers that are made once a serializer.

REST framework builds a serializer's fields for each answer and asks each of them anew
about every value: 0.3 ms a job. Here the same fields are built once and turned into
plain functions, which give the same JSON.
"""

from collections.abc import Callable
from decimal import Decimal
from functools import cache
from operator import attrgetter
from typing import Any, TypeVar

from django.db.models import Model
from django.utils.timezone import get_current_timezone
from rest_framework import serializers
from rest_framework.fields import SkipField
from rest_framework.relations import PKOnlyObject

Shown = TypeVar("Shown", bound=Model)
Reader = Callable[[Any], Any]

AS_IT_IS = {
    serializers.BooleanField.to_representation,
    serializers.CharField.to_representation,
    serializers.ChoiceField.to_representation,
    serializers.FloatField.to_representation,
    serializers.IntegerField.to_representation,
    serializers.JSONField.to_representation,
}
"""What gives a value of its own column back: a text for a text, a number for one."""


class RowSerializer(serializers.ModelSerializer[Shown]):
    """A ModelSerializer that answers by readers."""

    def to_representation(self, instance: Shown) -> dict[str, Any]:
        return {name: read(instance) for name, read in readers_of(type(self))}


@cache
def readers_of(kind: type[serializers.Serializer[Any]]) -> list[tuple[str, Reader]]:
    """How each field of a serializer is read from a row."""
    fields = kind()._readable_fields
    return [(str(field.field_name), reader(field)) for field in fields]


def reader(field: Any) -> Reader:
    """How one field is read: as REST framework does it, or a shorter way."""
    show = shown_by(field)
    if isinstance(field, serializers.PrimaryKeyRelatedField) and not field.pk_field:
        return attrgetter(column_of(field))
    if show is None or type(field).get_attribute is not serializers.Field.get_attribute:
        return lambda row: as_usual(field, row)
    get = attrgetter(str(field.source))
    return get if show is as_it_is else lambda row: or_none(show, get(row))


def shown_by(field: Any) -> Reader | None:
    """What a field makes of a value that is not None; None where it has its own way."""
    show = type(field).to_representation
    if isinstance(field, RowSerializer):
        return lambda row: {n: read(row) for n, read in readers_of(type(field))}
    if show in AS_IT_IS:
        return as_it_is
    if show is serializers.UUIDField.to_representation:
        return str
    if show is serializers.DateTimeField.to_representation:
        return moment
    if show is serializers.DecimalField.to_representation:
        return lambda value: number(value, field.decimal_places)
    return None


def column_of(field: Any) -> str:
    """The attribute that holds a related row's key, so that the row is not read."""
    model = field.parent.Meta.model
    return str(model._meta.get_field(field.source).attname)


def as_it_is(value: Any) -> Any:
    return value


def or_none(show: Reader, value: Any) -> Any:
    return None if value is None else show(value)


def moment(value: Any) -> str:
    """ISO 8601 in the console's zone, UTC as Z."""
    text = str(value.astimezone(get_current_timezone()).isoformat())
    return f"{text[:-6]}Z" if text.endswith("+00:00") else text


def number(value: Decimal, places: int) -> float:
    """An amount with no more decimals than its column has."""
    return float(round(value, places))


def as_usual(field: Any, row: Any) -> Any:
    """The slow way of `Serializer.to_representation`, for one field."""
    try:
        found = field.get_attribute(row)
    except SkipField:
        return None
    key = found.pk if isinstance(found, PKOnlyObject) else found
    return None if key is None else field.to_representation(found)
