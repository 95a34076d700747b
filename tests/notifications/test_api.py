"""`/api/notifications`, by key and by session, for its owner and for a stranger."""

from uuid import uuid4

import pytest
from django.test import Client
from rest_framework.test import APIClient

from lora_pipeline.accounts.services import create_api_key
from notifications.services import notify

PATH = "/api/notifications"
KEYS = {
    "id",
    "user_id",
    "type",
    "title",
    "message",
    "priority",
    "read",
    "action_url",
    "metadata",
    "created_at",
}


@pytest.fixture
def make(owner):
    def notice(**fields):
        values = {"type": "job_queued", "title": "Queued", "message": "A job waits."}
        return notify(user_id=owner.pk, **values | fields)

    return notice


def test_the_list_has_the_records_the_pages_and_the_unread_count(make, api):
    notice = make(action_url="/training/jobs/1", metadata={"job_id": "1"})
    body = api.get(PATH).json()
    assert body["success"] is True
    (record,) = body["data"]["notifications"]
    assert set(record) == KEYS
    assert record["id"] == str(notice.pk)
    assert record["metadata"] == {"job_id": "1"}
    assert body["data"]["unread_count"] == 1
    assert body["data"]["pagination"] == {
        "page": 1,
        "limit": 10,
        "total": 1,
        "totalPages": 1,
    }


def test_a_queued_job_tells_its_owner(api, dataset):
    body = {
        "dataset_id": str(dataset.pk),
        "preset_id": "balanced",
        "gpu_config": {"type": "CPU", "count": 1},
        "hyperparameters": {
            "learning_rate": 0.00005,
            "batch_size": 4,
            "epochs": 3,
            "rank": 16,
        },
    }
    job = api.post("/api/jobs", body, format="json").json()["data"]
    (record,) = api.get(PATH).json()["data"]["notifications"]
    assert record["type"] == "job_queued"
    assert record["title"] == "Training Job Queued"
    assert record["priority"] == "low"
    assert record["read"] is False
    assert record["action_url"] == f"/training/jobs/{job['id']}"
    told = {"job_id": job["id"], "dataset_name": dataset.name}
    assert told.items() <= record["metadata"].items()


def test_newest_first_in_pages(make, api):
    for number in range(12):
        make(title=str(number))
    data = api.get(f"{PATH}?page=2&limit=5").json()["data"]
    assert [row["title"] for row in data["notifications"]] == ["6", "5", "4", "3", "2"]
    assert data["pagination"]["totalPages"] == 3
    assert api.get(f"{PATH}?page=9").json()["data"]["notifications"] == []


def test_read_and_unread_ones_can_be_asked_for(make, api):
    old, new = make(), make()
    api.post(f"{PATH}/{old.pk}/read")
    for answer, notice in (("true", old), ("false", new)):
        data = api.get(f"{PATH}?read={answer}").json()["data"]
        assert [row["id"] for row in data["notifications"]] == [str(notice.pk)]
        assert data["pagination"]["total"] == 1
        assert data["unread_count"] == 1


@pytest.mark.parametrize("value", ["maybe", "1", "True"])
def test_an_unknown_value_of_read_is_refused_by_its_field(value, api):
    answer = api.get(f"{PATH}?read={value}")
    assert answer.status_code == 400
    words = f"Received '{value}'; choose from: true, false."
    assert answer.json()["details"] == {"read": [words]}


def test_pages_that_make_no_sense_are_refused(api):
    answer = api.get(f"{PATH}?page=0&limit=101")
    assert answer.status_code == 400
    assert set(answer.json()["details"]) == {"page", "limit"}


def test_reading_one_does_not_mark_it_and_marking_does(make, api):
    notice = make()
    assert api.get(f"{PATH}/{notice.pk}").json()["data"]["read"] is False
    for _ in range(2):
        answer = api.post(f"{PATH}/{notice.pk}/read")
        assert answer.status_code == 200
        assert answer.json()["data"]["read"] is True
    assert api.get(f"{PATH}/{notice.pk}").json()["data"]["read"] is True


def test_marking_all_says_how_many(make, api):
    make()
    make()
    answer = api.post(f"{PATH}/read-all").json()
    assert answer["data"] == {"marked_read": 2, "unread_count": 0}
    assert api.post(f"{PATH}/read-all").json()["data"]["marked_read"] == 0


def test_unknown_and_foreign_ids_get_the_same_404(make, stranger_api):
    notice = make()
    answers = []
    for path in (f"{PATH}/{notice.pk}", f"{PATH}/{uuid4()}"):
        answers += [stranger_api.get(path), stranger_api.post(f"{path}/read")]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1
    notice.refresh_from_db()
    assert not notice.read


def test_a_stranger_lists_and_marks_none_of_them(make, stranger_api):
    notice = make()
    data = stranger_api.get(PATH).json()["data"]
    assert (data["notifications"], data["unread_count"]) == ([], 0)
    assert stranger_api.post(f"{PATH}/read-all").json()["data"]["marked_read"] == 0
    notice.refresh_from_db()
    assert not notice.read


def test_a_key_that_may_only_read_marks_nothing(make, owner):
    notice = make()
    client = APIClient()
    secret = create_api_key(owner=owner, name="read", scope="read")[1]
    client.credentials(HTTP_AUTHORIZATION=f"Bearer {secret}")
    assert client.get(PATH).status_code == 200
    assert client.post(f"{PATH}/{notice.pk}/read").status_code == 403
    assert client.post(f"{PATH}/read-all").status_code == 403


def test_a_session_needs_its_csrf_token_to_mark(make, owner):
    make()
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    assert client.get(PATH).status_code == 200
    assert client.post(f"{PATH}/read-all").status_code == 403


@pytest.mark.django_db
def test_without_a_user_there_is_a_401():
    for answer in (Client().get(PATH), Client().post(f"{PATH}/read-all")):
        assert answer.status_code == 401
        assert set(answer.json()) == {"error", "code", "details"}


@pytest.mark.parametrize("method", ["put", "patch", "delete"])
def test_notices_cannot_be_written(method, make, api):
    assert getattr(api, method)(f"{PATH}/{make().pk}").status_code == 405
    assert getattr(api, method)(PATH).status_code == 405


def test_the_list_costs_a_fixed_number_of_queries(
    make, api, django_assert_max_num_queries
):
    for _ in range(30):
        make()
    with django_assert_max_num_queries(8):
        assert len(api.get(f"{PATH}?limit=30").json()["data"]["notifications"]) == 30
