"""The jobs API by key: the contract's answers and its errors."""

import uuid

import pytest
from rest_framework.test import APIClient

from notifications.models import Notification
from tests.factories import DatasetFactory, TrainingJobFactory
from training.models import TrainingJob


def body(dataset, **changes):
    return {
        "dataset_id": str(dataset.pk),
        "gpu_config": {"type": "A100-80GB", "count": 2},
        "hyperparameters": {
            "batch_size": 4,
            "epochs": 3,
            "learning_rate": 0.00005,
            "rank": 16,
        },
    } | changes


def test_an_estimate_has_the_keys_of_the_contract(api, dataset):
    answer = api.post("/api/jobs/estimate", body(dataset), format="json")
    assert answer.status_code == 200
    data = answer.json()["data"]
    assert (data["estimated_cost"], data["hourly_rate"]) == (4.65, 7.0)
    assert data["cost_breakdown"] == {"compute": 4.15, "storage": 0.5}
    assert data["estimated_duration_hours"] == 0.59
    assert data["training_details"] == {
        "total_steps": 750,
        "steps_per_epoch": 250,
        "estimated_throughput_tokens_per_sec": 3600,
        "dataset_name": "My Dataset",
    }
    assert not TrainingJob.objects.exists()


def test_a_created_job_is_queued_with_its_notice(api, dataset):
    answer = api.post("/api/jobs", body(dataset, preset_id="fast"), format="json")
    assert answer.status_code == 201
    data = answer.json()["data"]
    assert (data["status"], data["progress"], data["preset_id"]) == (
        "queued",
        0,
        "custom",
    )
    assert data["hyperparameters"]["alpha"] == 32
    notice = Notification.objects.get()
    assert (notice.type, notice.title) == ("job_queued", "Training Job Queued")
    told = {"job_id": data["id"], "dataset_name": "My Dataset"}
    assert told.items() <= notice.metadata.items()


def test_all_faults_of_a_body_are_told_at_once(api, dataset):
    wrong = body(
        dataset,
        gpu_config={"type": "A100-80GB", "count": 9},
        hyperparameters={"batch_size": "4", "epochs": 21, "learning_rate": True},
    )
    answer = api.post("/api/jobs/estimate", wrong, format="json")
    assert answer.status_code == 400
    assert set(answer.json()["details"]) == {
        "gpu_config.count",
        "hyperparameters.batch_size",
        "hyperparameters.epochs",
        "hyperparameters.learning_rate",
        "hyperparameters.rank",
    }


def test_an_unknown_gpu_says_which_are_known(api, dataset):
    wrong = body(dataset, gpu_config={"type": "B900", "count": 1})
    answer = api.post("/api/jobs/estimate", wrong, format="json")
    assert answer.status_code == 400
    assert "A100-80GB" in answer.json()["details"]["gpu_config.type"][0]


def test_unknown_deleted_and_foreign_datasets_are_the_same_404(
    api, stranger_api, dataset, owner
):
    from django.utils import timezone

    deleted = DatasetFactory(user=owner, deleted_at=timezone.now())
    answers = [
        stranger_api.post("/api/jobs/estimate", body(dataset), format="json"),
        api.post("/api/jobs/estimate", body(deleted), format="json"),
        api.post(
            "/api/jobs/estimate", body(dataset, dataset_id=str(uuid.uuid4())), "json"
        ),
    ]
    assert {answer.status_code for answer in answers} == {404}
    assert len({answer.content for answer in answers}) == 1


def test_a_dataset_that_is_not_ready_says_both_values(api, dataset):
    dataset.training_ready = False
    dataset.save()
    answer = api.post("/api/jobs", body(dataset, preset_id="fast"), format="json")
    assert answer.status_code == 400
    assert "status is ready, training_ready is false" in answer.json()["error"]


def test_without_a_key_the_answer_is_401(db, dataset):
    answer = APIClient().get("/api/jobs")
    assert answer.status_code == 401
    assert answer.json()["error"].startswith("Sign in")


@pytest.mark.parametrize(
    "query", ["page=0", "page=x", "limit=101", "limit=-1", "status=asleep"]
)
def test_a_wrong_query_is_a_400_by_field(api, query):
    answer = api.get(f"/api/jobs?{query}")
    assert answer.status_code == 400
    assert query.split("=")[0] in answer.json()["details"]


def test_the_list_has_pages_and_only_own_jobs(api, owner, stranger):
    mine = [TrainingJobFactory(user=owner) for _ in range(3)]
    TrainingJobFactory(user=stranger)
    data = api.get("/api/jobs?limit=2").json()["data"]
    assert data["pagination"] == {"page": 1, "limit": 2, "total": 3, "totalPages": 2}
    assert [job["id"] for job in data["jobs"]] == [str(mine[2].pk), str(mine[1].pk)]
    assert set(data["jobs"][0]["dataset"]) == {
        "id",
        "name",
        "format",
        "total_training_pairs",
    }
    beyond = api.get("/api/jobs?page=9").json()["data"]
    assert beyond["jobs"] == []


def test_an_empty_list_has_no_pages(api):
    block = api.get("/api/jobs").json()["data"]["pagination"]
    assert block == {"page": 1, "limit": 10, "total": 0, "totalPages": 0}


def test_a_queued_job_is_cancelled_at_once_and_only_once(api, owner):
    job = TrainingJobFactory(user=owner)
    answer = api.post(f"/api/jobs/{job.pk}/cancel")
    assert answer.json()["data"]["status"] == "cancelled"
    assert api.post(f"/api/jobs/{job.pk}/cancel").status_code == 409


def test_a_stranger_neither_sees_nor_cancels(stranger_api, owner):
    job = TrainingJobFactory(user=owner)
    assert stranger_api.get(f"/api/jobs/{job.pk}").status_code == 404
    assert stranger_api.post(f"/api/jobs/{job.pk}/cancel").status_code == 404


def test_a_body_that_is_not_json_is_a_400(api):
    answer = api.post("/api/jobs", "{", content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"


def test_wrong_method_and_media_type_have_the_envelope(api):
    assert api.put("/api/jobs", {}, format="json").json()["error"]
    answer = api.post("/api/jobs", "a", content_type="text/plain")
    assert answer.status_code == 415
