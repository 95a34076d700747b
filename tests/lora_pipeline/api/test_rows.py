"""Readers give the JSON that REST framework's own fields give."""

import json
from datetime import UTC, datetime
from decimal import Decimal
from uuid import uuid4

import pytest
from django.apps import apps
from django.db import models
from django.utils import timezone
from rest_framework.renderers import JSONRenderer
from rest_framework.serializers import ModelSerializer

import lora_pipeline.urls  # noqa: F401 - imports every serializer
from lora_pipeline.api.rows import RowSerializer
from tests.factories import TrainingJobFactory
from training.jobs.api.serializers import JobRowSerializer, JobSerializer

EXAMPLES = {
    models.UUIDField: uuid4,
    models.DateTimeField: lambda: datetime(2026, 3, 29, 1, 30, 5, 120, tzinfo=UTC),
    models.DecimalField: lambda: Decimal("12.3456"),
    models.JSONField: lambda: {"a": [1, None, "ü"]},
    models.FloatField: lambda: 1e-05,
    models.BooleanField: lambda: True,
    models.IntegerField: lambda: 3,
    models.CharField: lambda: "it's “so”",
    models.TextField: lambda: "",
}


def all_below(kind):
    for below in kind.__subclasses__():
        yield from (below, *all_below(below))


SERIALIZERS = sorted(set(all_below(RowSerializer)), key=lambda kind: kind.__name__)
BY_NAME = {"suggestion": {"kind": "bad_data", "words": "Mend it.", "changes": {"a": 1}}}
COMPUTED = {"GpuType": {"connected": True}, "Checkpoint": {"is_needed": "A job waits."}}
DETAIL = "AdapterDetailSerializer"  # its snippets are read from a real lineage


def example_of(field):
    if field.name in BY_NAME:
        return BY_NAME[field.name]
    found = (make for kind, make in EXAMPLES.items() if isinstance(field, kind))
    return next(found)()


def row_of(model, *, empty):
    """A row that was never stored, with something or nothing in every column."""
    row = model()
    for field in model._meta.concrete_fields:
        target = field.target_field if field.is_relation else field
        empty_here = empty and field.null
        setattr(row, field.attname, None if empty_here else example_of(target))
    for field in model._meta.concrete_fields:
        if field.is_relation and getattr(row, field.attname) is not None:
            related = apps.get_model(field.related_model._meta.label)
            if related is not model:
                setattr(row, field.name, related(pk=getattr(row, field.attname)))
    for name, value in COMPUTED.get(model.__name__, {}).items():
        setattr(row, name, value)
    return row


def as_json(kind, row, represent):
    found = represent(kind(), row)
    return json.loads(JSONRenderer().render(dict(found)))


@pytest.mark.parametrize("empty", [False, True], ids=["full", "empty"])
@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin"])
@pytest.mark.parametrize(
    "kind", [kind for kind in SERIALIZERS if kind.__name__ != DETAIL]
)
def test_a_row_reads_as_by_rest_framework(kind, zone, empty, db):
    row = row_of(kind.Meta.model, empty=empty)
    with timezone.override(zone):
        ours = as_json(kind, row, RowSerializer.to_representation)
        assert ours == as_json(kind, row, ModelSerializer.to_representation)
    assert ours


@pytest.mark.django_db
@pytest.mark.parametrize("kind", [JobSerializer, JobRowSerializer])
def test_a_stored_job_reads_as_by_rest_framework(kind):
    suggestion = {"kind": "bad_data", "words": "Mend it.", "changes": {"rank": 8}}
    job = TrainingJobFactory(suggestion=suggestion, current_cost=Decimal("1.5"))
    job.refresh_from_db()
    ours = as_json(kind, job, RowSerializer.to_representation)
    assert ours == as_json(kind, job, ModelSerializer.to_representation)
    assert ours["suggestion"] == suggestion
    assert ours["dataset"]["name"] == job.dataset.name


def test_every_list_is_read_so():
    assert {kind.__name__ for kind in SERIALIZERS} >= {
        "AdapterSerializer",
        "DatasetRowSerializer",
        "DeliverySerializer",
        "JobRowSerializer",
        "NotificationSerializer",
        "WebhookSerializer",
    }
