"""A compiled query finds what its query set finds, whatever the values."""

import uuid

import pytest
from django.db.models import F, Value
from django.db.models.functions import Concat

from datasets.models import Dataset
from lora_pipeline.models import User
from lora_pipeline.postgres import compiled
from lora_pipeline.postgres.compiled import Compiled
from tests.factories import DatasetFactory, TrainingJobFactory
from training.models import TrainingJob

pytestmark = pytest.mark.django_db


def jobs_of(user, word):
    own = TrainingJob.objects.visible_to(User(pk=user)).with_dataset()
    said = Concat(F("name"), Value(" "), Value(word))
    return own.annotate(said=said).order_by("name")


def facts(job):
    return {name: getattr(job, name) for name in vars(job) if name != "_state"}


def test_it_makes_the_same_objects_as_the_query_set():
    job = TrainingJobFactory(current_metrics={"loss": 1.5}, name="a")
    TrainingJobFactory(user=job.user, dataset=job.dataset, name="b")
    query = Compiled(jobs_of, user=uuid.UUID, word=str)
    for word in ("once", 'it\'s 100 %s; \\ "quoted"'):
        found = query.rows(user=job.user_id, word=word)
        wanted = list(jobs_of(job.user_id, word))
        assert [facts(one) for one in found] == [facts(one) for one in wanted]
        assert [one.said for one in found] == [f"a {word}", f"b {word}"]


def test_what_is_joined_or_deferred_costs_no_query_until_it_is_read(
    django_assert_num_queries,
):
    job = TrainingJobFactory()
    query = Compiled(
        lambda job: TrainingJob.objects.filter(pk=job).with_dataset().defer("name"),
        job=uuid.UUID,
    )
    with django_assert_num_queries(1):
        found = query.one(job=job.pk)
        assert found.dataset.name == job.dataset.name
        assert found.base_model.pk == job.base_model_id
    with django_assert_num_queries(1):
        assert found.name == job.name


def test_every_call_asks_the_database_anew():
    dataset = DatasetFactory()
    query = Compiled(lambda pk: Dataset.objects.filter(pk=pk), pk=uuid.UUID)
    assert query.one(pk=uuid.uuid4()) is None
    assert query.one(pk=dataset.pk).name == dataset.name
    Dataset.objects.update(name="another")
    assert query.one(pk=dataset.pk).name == "another"
    dataset.delete()
    assert query.one(pk=dataset.pk) is None


def test_it_is_compiled_once_until_it_is_forgotten():
    asked = []

    def build(pk):
        asked.append(pk)
        return Dataset.objects.filter(pk=pk)

    query = Compiled(build, pk=uuid.UUID)
    dataset = DatasetFactory()
    assert [query.one(pk=dataset.pk).pk for _ in range(3)] == [dataset.pk] * 3
    assert len(asked) == 1
    compiled.forget()
    assert query.one(pk=dataset.pk).pk == dataset.pk
    assert len(asked) == 2
