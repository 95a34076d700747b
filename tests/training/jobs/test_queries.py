"""How many queries the busy answers take, all counted: also signing in and the reset.

By key: the key (which brings its owner's rows into view), the catalogue, the dataset,
the reset; once a minute the key's use is noted. By session: the session, its user
(likewise), the same three.
"""

from datetime import timedelta

import pytest
from django.utils import timezone

from lora_pipeline.models import ApiKey
from tests.factories import DatasetFactory, TrainingJobFactory
from tests.training.jobs.contract import ESTIMATE


@pytest.fixture(autouse=True)
def used_just_now(key):
    """The use of a key is written down at most once a minute; here it was."""
    ApiKey.objects.update(last_used_at=timezone.now())


@pytest.mark.parametrize("model", ["", "HuggingFaceTB/SmolLM2-135M-Instruct"])
def test_an_estimate_by_key_takes_4_queries(
    model, api, full, django_assert_num_queries
):
    with django_assert_num_queries(4):
        answer = ESTIMATE.call(api, data=full | {"base_model": model})
    assert answer.json()["data"]["estimated_cost"] > 0


def test_the_first_use_of_a_key_in_a_minute_takes_one_more(
    api, full, django_assert_num_queries
):
    ApiKey.objects.update(last_used_at=timezone.now() - timedelta(minutes=2))
    with django_assert_num_queries(5):
        first = ESTIMATE.call(api, data=full).json()["data"]
    with django_assert_num_queries(4):
        assert ESTIMATE.call(api, data=full).json()["data"] == first


def test_an_estimate_by_session_takes_5_queries(
    session, full, django_assert_num_queries
):
    with django_assert_num_queries(5):
        answer = ESTIMATE.call(session, data=full)
    assert answer.json()["data"]["estimated_cost"] > 0


@pytest.mark.parametrize("headers", [{}, {"HX-Request": "true"}], ids=["page", "htmx"])
def test_the_configuration_page_takes_at_most_8_queries(
    headers, browser_of_owner, dataset, django_assert_max_num_queries
):
    address = f"/training/configure?datasetId={dataset.pk}"
    with django_assert_max_num_queries(8):
        answer = browser_of_owner.get(address, headers=headers)
    assert answer.context["estimate"]["estimated_cost"] >= 0


@pytest.mark.parametrize(("rows", "queries"), [(1, 5), (100, 5)])
def test_a_list_takes_as_many_queries_for_100_jobs_as_for_1(
    rows, queries, api, owner, django_assert_num_queries
):
    for _ in range(rows):
        TrainingJobFactory(user=owner, dataset=DatasetFactory(user=owner))
    with django_assert_num_queries(queries):
        jobs = api.get("/api/jobs?limit=100").json()["data"]["jobs"]
    assert len({job["dataset"]["id"] for job in jobs}) == rows


def test_one_job_takes_3_queries(api, owner, django_assert_num_queries):
    job = TrainingJobFactory(user=owner)
    with django_assert_num_queries(3):
        assert api.get(f"/api/jobs/{job.pk}").json()["data"]["dataset"]["name"]
