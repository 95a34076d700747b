"""The contract's error table: each row, by session and by key, where it applies.

Every answer is also held against the OpenAPI description.
"""

import uuid

import pytest
from django.utils import timezone
from rest_framework.test import APIClient

from lora_pipeline.models import ApiKey
from tests.factories import DatasetFactory, TrainingJobFactory
from tests.openapi import conforms, faults
from tests.training.jobs.contract import (
    APPLIES,
    CANCEL,
    CREATE,
    DETAIL,
    ENDPOINTS,
    ESTIMATE,
    LIST,
    data_for,
    rows,
)
from training.models import TrainingJob


def test_the_description_names_just_the_statuses_of_the_table():
    for name, endpoint in ENDPOINTS.items():
        rows = {status for status, names in APPLIES.items() if name in names}
        assert faults(endpoint.method, endpoint.path) == rows, name


def test_each_endpoint_works_by_session_and_by_key(caller, full, job):
    for endpoint, data, status in (
        (ESTIMATE, full, 200),
        (CREATE, full, 201),
        (LIST, None, 200),
        (DETAIL, None, 200),
        (CANCEL, None, 200),
    ):
        answer = endpoint.call(caller, data=data, job=job.pk)
        assert answer.status_code == status, answer.content
        found = conforms(answer, endpoint.method, endpoint.path)
        assert found["success"] is True


@rows(401)
@pytest.mark.parametrize(
    "credentials",
    ["", "Bearer", "Bearer lp_unknown", "Bearer lp_ü", "Basic b3duZXI6eA=="],
)
def test_who_is_not_signed_in_gets_401(endpoint, credentials, full, job):
    client = APIClient()
    if credentials:
        client.credentials(HTTP_AUTHORIZATION=credentials)
    answer = endpoint.call(client, data=data_for(endpoint, full), job=job.pk)
    endpoint.refused(answer, 401)
    assert answer.headers["WWW-Authenticate"].startswith("Bearer")


@rows(401)
@pytest.mark.parametrize("ended", ["revoked key", "inactive user"])
def test_a_key_that_has_ended_gets_401(endpoint, ended, api, owner, full, job):
    if ended == "revoked key":
        ApiKey.objects.update(revoked_at=timezone.now())
    else:
        type(owner).objects.update(is_active=False)
    answer = endpoint.call(api, data=data_for(endpoint, full), job=job.pk)
    endpoint.refused(answer, 401)


@pytest.mark.parametrize("name", ["estimate", "create"])
def test_unknown_deleted_and_foreign_datasets_get_the_same_bytes(
    name, caller, owner, stranger, full
):
    deleted = DatasetFactory(user=owner, deleted_at=timezone.now())
    foreign = DatasetFactory(user=stranger)
    answers = [
        ENDPOINTS[name].call(caller, data=full | {"dataset_id": str(dataset_id)})
        for dataset_id in (uuid.uuid4(), deleted.pk, foreign.pk)
    ]
    for answer in answers:
        ENDPOINTS[name].refused(answer, 404)
    assert len({answer.content for answer in answers}) == 1


@pytest.mark.parametrize("name", ["detail", "cancel"])
def test_unknown_hidden_and_foreign_jobs_get_the_same_bytes(
    name, caller, owner, stranger
):
    hidden = TrainingJobFactory(user=owner, hidden_at=timezone.now())
    foreign = TrainingJobFactory(user=stranger)
    answers = [
        ENDPOINTS[name].call(caller, job=job_id)
        for job_id in (uuid.uuid4(), hidden.pk, foreign.pk)
    ]
    for answer in answers:
        ENDPOINTS[name].refused(answer, 404)
    assert len({answer.content for answer in answers}) == 1
    foreign.refresh_from_db()
    assert foreign.cancel_requested_at is None


@pytest.mark.parametrize("name", ["detail", "cancel"])
@pytest.mark.parametrize("job_id", ["1", "x", "%00", "0" * 36])
def test_an_id_that_is_no_uuid_is_an_unknown_job(name, job_id, caller):
    ENDPOINTS[name].refused(ENDPOINTS[name].call(caller, job=job_id), 404)


@pytest.mark.parametrize("name", ["estimate", "create"])
def test_every_fault_of_a_body_is_told_at_once_by_field(name, caller):
    wrong = {
        "dataset_id": "x",
        "gpu_config": {"type": "B900", "count": 9},
        "hyperparameters": {
            "batch_size": "4",
            "epochs": 21,
            "learning_rate": True,
            "dropout": 0.51,
            "scheduler": "steep",
        },
        "base_model": "no/such",
    }
    more = {"preset_id": "best", "name": "n" * 201, "max_cost": -1, "alpha": 1.5}
    create = name == "create"
    answer = ENDPOINTS[name].call(caller, data=wrong | (more if create else {}))
    error = ENDPOINTS[name].refused(answer, 400)
    expected = {
        "dataset_id",
        "gpu_config.type",
        "gpu_config.count",
        "hyperparameters.batch_size",
        "hyperparameters.epochs",
        "hyperparameters.learning_rate",
        "hyperparameters.dropout",
        "hyperparameters.scheduler",
        "hyperparameters.rank",
        "base_model",
    }
    assert set(error["details"]) == expected | (set(more) if create else set())
    assert error["error"] == f"{len(error['details'])} fields to fix: see details."
    assert "A100-80GB" in error["details"]["gpu_config.type"][0]
    assert error["details"]["hyperparameters.epochs"] == [
        "Received 21; must be an integer from 1 to 20."
    ]


@pytest.mark.parametrize("name", ["estimate", "create"])
def test_an_empty_body_names_every_required_field(name, caller):
    error = ENDPOINTS[name].refused(ENDPOINTS[name].call(caller, data={}), 400)
    expected = {"dataset_id", "gpu_config", "hyperparameters"}
    assert set(error["details"]) == expected | (
        {"preset_id"} if name == "create" else set()
    )


@pytest.mark.parametrize(
    ("status", "ready"),
    [("validating", False), ("error", False), ("ready", False), ("uploading", True)],
)
def test_a_dataset_that_is_not_ready_says_both_values(
    status, ready, caller, dataset, full
):
    type(dataset).objects.update(status=status, training_ready=ready)
    error = CREATE.refused(CREATE.call(caller, data=full), 400)
    words = f"status is {status}, training_ready is {str(ready).lower()}"
    assert words in error["error"]
    assert words in error["details"]["dataset_id"][0]
    assert not TrainingJob.objects.exists()
    assert ESTIMATE.call(caller, data=full).status_code == 200


def test_an_estimate_without_pairs_says_the_status(caller, dataset, full):
    type(dataset).objects.update(status="validating", total_training_pairs=None)
    error = ESTIMATE.refused(ESTIMATE.call(caller, data=full), 400)
    assert "validating" in error["details"]["dataset_id"][0]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("page=0", "page"),
        ("page=-1", "page"),
        ("page=1.5", "page"),
        ("page=x", "page"),
        ("page=", "page"),
        ("page=%D9%A1", "page"),
        ("page=" + "9" * 30, "page"),
        ("limit=0", "limit"),
        ("limit=101", "limit"),
        ("limit=ten", "limit"),
        ("status=asleep", "status"),
        ("status=queued&status=asleep", "status"),
        ("status=", "status"),
        ("dataset=x", "dataset"),
        ("created_after=yesterday", "created_after"),
        ("created_before=2026-13-01", "created_before"),
        ("created_after=0001-01-01T00:00:00%2B14:00", "created_after"),
        ("created_before=9999-12-31T23:00:00-14:00", "created_before"),
        ("search=%00", "search"),
        ("search=" + "x" * 201, "search"),
    ],
)
def test_a_wrong_query_gets_400_at_its_name(query, field, caller):
    error = LIST.refused(LIST.call(caller, query=f"?{query}"), 400)
    assert set(error["details"]) == {field}


@pytest.mark.parametrize(
    ("moment", "found"),
    [
        ("2000-01-01T00:00:00Z", 1),
        ("2000-01-01T00:00:00%2B23:59", 1),
        ("2000-01-01T00:00:00-18:28", 1),
        ("2000-01-01", 1),
        ("9999-01-01T00:00:00Z", 0),
        ("", 1),
    ],
)
def test_any_moment_with_any_offset_can_be_asked_for(moment, found, caller, job):
    answer = LIST.call(caller, query=f"?created_after={moment}")
    assert answer.json()["data"]["pagination"]["total"] == found, answer.content


@pytest.mark.parametrize("limit", [1, 100])
def test_a_page_past_the_end_is_empty_and_pages_are_counted(limit, caller, job):
    data = LIST.call(caller, query=f"?page=7&limit={limit}").json()["data"]
    block = {"page": 7, "limit": limit, "total": 1, "totalPages": 1}
    assert data == {"jobs": [], "pagination": block}
