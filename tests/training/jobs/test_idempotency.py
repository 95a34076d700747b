"""One Idempotency-Key, one job: for 24 hours, a user, a body."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from notifications.models import Notification
from tests.factories import DatasetFactory
from tests.openapi import conforms
from tests.training.jobs.contract import CREATE
from tests.training.jobs.test_api import body
from training.models import IdempotencyKey, TrainingJob


def create(client: Any, data: Any, key: str | None = "nightly-7") -> Any:
    headers = {} if key is None else {"Idempotency-Key": key}
    return CREATE.call(client, data=data, headers=headers)


def made(answer: Any, status: int) -> str:
    assert answer.status_code == status, answer.content
    return conforms(answer, "POST", "/api/jobs")["data"]["id"]


def test_the_same_key_and_body_give_the_same_job_again(caller, full):
    first = create(caller, full)
    again = create(caller, full)
    assert made(first, 201) == made(again, 200)
    assert TrainingJob.objects.count() == Notification.objects.count() == 1


def test_the_same_body_in_another_order_is_the_same_body(api, full):
    reordered = dict(reversed(full.items()))
    reordered["gpu_config"] = dict(reversed(full["gpu_config"].items()))
    assert made(create(api, full), 201) == made(create(api, reordered), 200)


def test_the_job_is_shown_as_it_is_by_now(api, full):
    job_id = made(create(api, full), 201)
    api.post(f"/api/jobs/{job_id}/cancel")
    again = create(api, full)
    assert made(again, 200) == job_id
    assert again.json()["data"]["status"] == "cancelled"


@pytest.mark.parametrize(
    "change",
    [
        {"name": "another"},
        {"gpu_config": {"type": "A100-80GB", "count": 3}},
        {"estimated_cost": 4.66},
        {"dataset_id": "x"},
    ],
)
def test_another_body_gets_409_even_when_it_is_faulty(change, caller, full):
    made(create(caller, full), 201)
    error = CREATE.refused(create(caller, full | change), 409)
    assert error["code"] == "idempotency_key_reused"
    assert TrainingJob.objects.count() == 1


def test_another_key_and_no_key_make_jobs_of_their_own(caller, full):
    ids = {made(create(caller, full, key), 201) for key in ("a", "A", None, None)}
    assert len(ids) == 4


@pytest.mark.parametrize(
    ("age", "status"),
    [(timedelta(hours=23, minutes=59), 200), (timedelta(hours=24, seconds=1), 201)],
)
def test_a_key_counts_for_24_hours(age, status, api, full):
    first = made(create(api, full), 201)
    IdempotencyKey.objects.update(created_at=timezone.now() - age)
    again = made(create(api, full), status)
    assert (again == first) is (status == 200)
    assert made(create(api, full), 200) == again


def test_an_old_key_takes_another_body(api, full):
    made(create(api, full), 201)
    IdempotencyKey.objects.update(created_at=timezone.now() - timedelta(days=2))
    made(create(api, full | {"name": "another"}), 201)


def test_the_same_key_of_another_user_is_another_key(api, stranger_api, stranger, full):
    foreign = body(DatasetFactory(user=stranger), preset_id="custom")
    first = made(create(api, full), 201)
    second = made(create(stranger_api, foreign), 201)
    assert first != second
    assert made(create(stranger_api, foreign), 200) == second


def test_a_refused_creation_leaves_its_key_free(api, full, dataset):
    type(dataset).objects.update(status="validating")
    CREATE.refused(create(api, full), 400)
    type(dataset).objects.update(status="ready")
    made(create(api, full), 201)


def test_session_and_key_of_one_user_share_their_keys(session, api, full):
    assert made(create(session, full), 201) == made(create(api, full), 200)


@pytest.mark.parametrize("word", ["", "k" * 256, "ü", "a\tb"])
def test_a_key_that_cannot_be_one_gets_400(word, caller, full):
    error = CREATE.refused(create(caller, full, word), 400)
    assert set(error["details"]) == {"Idempotency-Key"}
    assert not TrainingJob.objects.exists()


@pytest.mark.parametrize("word", ["k", "k" * 255, "a b!~"])
def test_the_longest_and_oddest_keys_that_can_be_ones_work(word, api, full):
    assert made(create(api, full, word), 201) == made(create(api, full, word), 200)
