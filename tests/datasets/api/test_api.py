"""Uploading a dataset: stored whole and checked, or refused with nothing stored."""

import json
from pathlib import Path

from django.core.files.uploadedfile import SimpleUploadedFile

from datasets.models import Dataset
from datasets.tasks import validate_dataset


def row(number: int) -> str:
    messages = [
        {"role": "user", "content": f"Question {number}?"},
        {"role": "assistant", "content": f"Answer {number}."},
    ]
    return json.dumps({"messages": messages})


def upload(api, content: bytes):
    file = SimpleUploadedFile("chats.jsonl", content)
    return api.post("/api/datasets", {"file": file}, format="multipart")


def checked(api, content: bytes) -> Dataset:
    answer = upload(api, content)
    assert answer.status_code == 201, answer.content
    dataset_id = answer.json()["data"]["id"]
    validate_dataset(dataset_id=dataset_id)
    return Dataset.objects.get(pk=dataset_id)


def test_a_good_file_becomes_ready_with_its_splits(api, own_storage: Path):
    dataset = checked(api, "\n".join(map(row, range(20))).encode())
    assert (dataset.status, dataset.training_ready) == ("ready", True)
    assert (dataset.total_training_pairs, dataset.total_validation_pairs) == (18, 2)
    train = (own_storage / dataset.split_path("train")).read_text().splitlines()
    validation = (own_storage / dataset.split_path("validation")).read_text()
    assert len(train) == 18
    assert not set(train) & set(validation.splitlines())


def test_the_split_is_the_same_every_time(api, own_storage: Path):
    content = "\n".join(map(row, range(20))).encode()
    first, second = checked(api, content), checked(api, content)
    rows = [(own_storage / d.split_path("train")).read_bytes() for d in (first, second)]
    assert rows[0] == rows[1]


def test_an_empty_file_is_refused_and_nothing_stored(api, own_storage: Path):
    answer = upload(api, b"")
    assert answer.status_code == 400
    assert "empty" in answer.json()["details"]["file"][0]
    assert not Dataset.objects.exists()
    assert not own_storage.exists()


def test_a_body_over_the_limit_is_a_413_and_nothing_stored(
    api, settings, own_storage: Path
):
    settings.MAX_UPLOAD_BYTES = 100
    assert upload(api, b"x" * 200).status_code == 413
    assert not Dataset.objects.exists()
    assert not own_storage.exists()


def test_a_stranger_gets_the_404_of_an_unknown_dataset(stranger_api, dataset):
    answer = stranger_api.get(f"/api/datasets/{dataset.pk}")
    assert answer.status_code == 404
    assert answer.json()["error"] == "Dataset not found."


def test_a_deleted_dataset_is_gone(api, dataset):
    assert api.delete(f"/api/datasets/{dataset.pk}").status_code == 200
    assert api.get(f"/api/datasets/{dataset.pk}").status_code == 404


def test_a_moment_that_is_in_no_year_of_utc_is_a_400_or_filters(api):
    for moment in ("0064-08-29T21:11:22-17:03", "9999-12-31T23:59:59-12:00"):
        answer = api.get("/api/datasets", {"created_before": moment})
        assert answer.status_code in {200, 400}, moment


def test_a_body_nested_too_deeply_is_a_400(api):
    answer = api.post("/api/datasets", "[" * 9999, content_type="application/json")
    assert answer.status_code == 400
    assert answer.json()["code"] == "invalid"


def test_rows_that_are_being_made_anew_are_said_to_be_away(api, dataset):
    type(dataset).objects.update(storage_path="datasets/gone/original")
    for part in ("examples", "preflight?example=1"):
        answer = api.get(f"/api/datasets/{dataset.pk}/{part}")
        assert answer.status_code == 409, answer.content
        assert answer.json()["code"] == "dataset_not_ready"
