"""The contract's error table, continued: rules, limits and faults of our own."""

from typing import Any

import pytest
from django.core.cache import cache
from django.db import OperationalError
from rest_framework.throttling import UserRateThrottle

from lora_pipeline.postgres import row_security
from tests.factories import TrainingJobFactory
from tests.training.jobs.contract import (
    CANCEL,
    CREATE,
    ENDPOINTS,
    ESTIMATE,
    data_for,
    rows,
)
from training.domain.lifecycle import FINAL
from training.models import TrainingJob


@pytest.mark.parametrize("status", sorted(FINAL))
def test_cancelling_what_has_ended_gets_409(status, caller, owner):
    job = TrainingJobFactory(user=owner, status=status)
    error = CANCEL.refused(CANCEL.call(caller, job=job.pk), 409)
    assert status in error["error"]


def test_an_idempotency_key_with_another_body_gets_409(caller, full):
    headers = {"Idempotency-Key": "nightly-7"}
    first = CREATE.call(caller, data=full, headers=headers)
    assert first.status_code == 201
    other = CREATE.call(caller, data=full | {"name": "other"}, headers=headers)
    assert "nightly-7" in CREATE.refused(other, 409)["error"]
    assert TrainingJob.objects.count() == 1


def test_a_job_over_budget_gets_402_with_the_numbers(caller, owner, full):
    type(owner).objects.update(monthly_budget_usd="5.00")
    error = CREATE.refused(CREATE.call(caller, data=full), 402)
    # 4.65 USD by the catalogue, held with a quarter on top.
    assert error["details"] == {
        "budget_usd": 5.0,
        "spent_usd": 0.0,
        "held_usd": 0.0,
        "free_usd": 5.0,
        "needed_usd": 5.81,
    }
    assert not TrainingJob.objects.exists()


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/api/jobs/estimate", "get"),
        ("/api/jobs/estimate", "put"),
        ("/api/jobs", "put"),
        ("/api/jobs", "delete"),
        ("/api/jobs/{id}", "post"),
        ("/api/jobs/{id}", "put"),
        ("/api/jobs/{id}/cancel", "get"),
        ("/api/jobs/{id}/cancel", "delete"),
    ],
)
def test_a_wrong_method_gets_405_and_what_is_allowed(path, method, caller, job):
    answer = getattr(caller, method)(path.replace("{id}", str(job.pk)))
    assert answer.status_code == 405
    error = answer.json()
    assert set(error) == {"error", "code", "details"}
    assert error["code"] == "method_not_allowed"
    assert answer.headers["Allow"] in error["error"]


@rows(413)
def test_too_large_a_body_gets_413(endpoint, caller, full, settings):
    settings.MAX_BODY_BYTES = 1000
    answer = endpoint.call(caller, data=full | {"name": "x" * 1000})
    assert "1,000 bytes" in endpoint.refused(answer, 413)["error"]


def test_too_large_a_body_is_refused_where_none_is_wanted(caller, job, settings):
    settings.MAX_BODY_BYTES = 100
    answer = CANCEL.call(caller, job=job.pk, data={"why": "x" * 100})
    assert (answer.status_code, answer.json()["code"]) == (413, "too_large")


@rows(415)
@pytest.mark.parametrize(
    "media_type", ["text/plain", "application/x-www-form-urlencoded", "application/xml"]
)
def test_a_wrong_media_type_gets_415_and_what_to_send(endpoint, media_type, caller):
    answer = caller.post(endpoint.path, "a=1", content_type=media_type)
    error = endpoint.refused(answer, 415)
    assert error["error"] == f"Received {media_type}; send application/json."


@pytest.fixture
def one_a_minute(monkeypatch):
    monkeypatch.setattr(UserRateThrottle, "THROTTLE_RATES", {"user": "1/min"})
    cache.clear()
    yield
    cache.clear()


@rows(429)
def test_too_many_requests_get_429_and_when_to_try_again(
    endpoint, caller, full, job, one_a_minute
):
    data = data_for(endpoint, full)
    assert endpoint.call(caller, data=data, job=job.pk).status_code < 300
    answer = endpoint.call(caller, data=data, job=job.pk)
    error = endpoint.refused(answer, 429)
    seconds = int(answer.headers["Retry-After"])
    assert 1 <= seconds <= 60
    assert f"{seconds} s" in error["error"]


@pytest.mark.parametrize("name", ["create", "cancel"])
def test_a_key_without_the_scope_gets_403(name, reader, full, job):
    answer = ENDPOINTS[name].call(reader, data=full, job=job.pk)
    assert ENDPOINTS[name].refused(answer, 403)["code"] == "key_scope"
    job.refresh_from_db()
    assert (job.cancel_requested_at, TrainingJob.objects.count()) == (None, 1)


@pytest.mark.parametrize("name", ["estimate", "list", "detail"])
def test_a_key_that_may_only_read_reads_and_estimates(name, reader, full, job):
    endpoint = ENDPOINTS[name]
    answer = endpoint.call(reader, data=data_for(endpoint, full), job=job.pk)
    assert answer.status_code == 200


@rows(403)
@pytest.mark.parametrize("token", ["", "x" * 32])
def test_a_browser_without_its_csrf_token_gets_403(endpoint, token, session, full, job):
    session.credentials(HTTP_X_CSRFTOKEN=token)
    answer = endpoint.call(session, data=data_for(endpoint, full), job=job.pk)
    assert "X-CSRFToken" in endpoint.refused(answer, 403)["error"]
    job.refresh_from_db()
    assert (job.cancel_requested_at, TrainingJob.objects.count()) == (None, 1)


@rows(500)
def test_our_own_fault_is_a_500_with_a_request_id_and_nothing_inner(
    endpoint, caller, full, job, monkeypatch, caplog
):
    def broken(*args: Any, **options: Any) -> None:
        raise RuntimeError("the inner detail")

    for module in ("training.jobs.api.views", "lora_pipeline.api.pagination"):
        monkeypatch.setattr(f"{module}.success", broken)
    answer = endpoint.call(caller, data=data_for(endpoint, full), job=job.pk)
    error = endpoint.refused(answer, 500)
    assert error["code"] == "server_error"
    assert b"inner" not in answer.content
    assert error["details"]["request_id"] in caplog.text
    assert "the inner detail" in caplog.text


@rows(500)
def test_a_fault_before_the_view_is_the_same_500(
    endpoint, session, full, job, monkeypatch
):
    def broken(user: str) -> None:
        raise RuntimeError("the inner detail")

    monkeypatch.setattr(row_security, "from_then_on", broken)
    session.raise_request_exception = False
    answer = endpoint.call(session, data=data_for(endpoint, full), job=job.pk)
    assert endpoint.refused(answer, 500)["details"]["request_id"]
    assert b"inner" not in answer.content


def test_a_database_that_is_away_before_the_view_is_a_503(session, full, monkeypatch):
    def away(user: str) -> None:
        raise OperationalError("the inner detail")

    monkeypatch.setattr(row_security, "from_then_on", away)
    session.raise_request_exception = False
    answer = ESTIMATE.call(session, data=full)
    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "5")
    assert answer.json()["code"] == "unavailable"
    assert b"inner" not in answer.content


def test_a_long_dataset_name_still_names_a_job(caller, dataset, full):
    type(dataset).objects.update(name="d" * 200)
    answer = CREATE.call(caller, data=full)
    assert answer.status_code == 201, answer.content
    name = answer.json()["data"]["name"]
    assert (len(name), name[-9:]) == (200, "d, custom")


def test_the_longest_user_name_creates_and_cancels_jobs(caller, owner, full):
    type(owner).objects.update(username="u" * 150)
    job_id = CREATE.call(caller, data=full).json()["data"]["id"]
    assert CANCEL.call(caller, job=job_id).status_code == 200
    assert TrainingJob.objects.get(pk=job_id).events.first().by == "u" * 50
