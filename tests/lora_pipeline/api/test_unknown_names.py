"""A key that is not known is refused by its name, with the nearest known one."""

import json
from collections.abc import Iterator
from typing import Any

import pytest

from lora_pipeline.names import nearest, unknown_names
from tests.factories import AdapterFactory, TrainingJobFactory
from tests.openapi import description
from tests.training.jobs.test_api import body
from training.models import TrainingJob


def schemas(schema: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """A schema and all objects inside it."""
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        schema = description()["components"]["schemas"][name]
    if schema.get("type") == "object":
        yield schema
    parts = [*schema.get("properties", {}).values(), schema.get("items", {})]
    for part in parts + schema.get("allOf", []) + schema.get("oneOf", []):
        if part:
            yield from schemas(part)


def taken() -> Iterator[Any]:
    """Every body that an operation takes, binary ones aside."""
    for path, methods in description()["paths"].items():
        for method, operation in methods.items():
            content = operation.get("requestBody", {}).get("content", {})
            for media, found in content.items():
                if found["schema"].get("format") != "binary":
                    yield pytest.param(found["schema"], id=f"{method} {path} {media}")


@pytest.mark.parametrize("schema", list(taken()))
def test_no_body_takes_other_keys(schema):
    found = list(schemas(schema))
    assert found
    assert all(one.get("additionalProperties") is False for one in found)


@pytest.mark.parametrize("path", ["/api/jobs", "/api/jobs/estimate"])
@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("lora_alpha", "alpha"),
        ("lora_alpah", "alpha"),
        ("n_epochs", "epochs"),
        ("max_steps", "epochs"),
        ("lr", "learning_rate"),
        ("bath_size", "batch_size"),
    ],
)
def test_an_unknown_setting_is_named_with_the_nearest(api, dataset, path, name, meant):
    given = body(dataset, preset_id="custom")
    given["hyperparameters"] |= {name: 8}
    answer = api.post(path, given, format="json")
    assert answer.status_code == 400
    details = answer.json()["details"]
    assert list(details) == [f"hyperparameters.{name}"]
    assert f"Did you mean {meant}?" in details[f"hyperparameters.{name}"][0]
    assert not TrainingJob.objects.exists()


def test_unknown_keys_are_told_with_all_other_faults(api, dataset):
    given = body(dataset, gpu_config={"type": "H100", "count": 9, "memory": 80})
    given["hyperparameters"] |= {"epochs": 99, "lora_r": 4}
    sent = json.dumps(given | {"dataset": "x", "a\ud800": 1})
    answer = api.post("/api/jobs", sent, content_type="application/json")
    assert answer.status_code == 400
    names = {"gpu_config.count", "gpu_config.memory", "dataset", "a?", "preset_id"}
    names |= {"hyperparameters.epochs", "hyperparameters.lora_r"}
    assert set(answer.json()["details"]) == names


def test_every_other_endpoint_refuses_them_too(api, owner, dataset):
    job = TrainingJobFactory(user=owner, dataset=dataset)
    adapter = AdapterFactory(job=TrainingJobFactory(user=owner, dataset=dataset))
    for method, path, sent in (
        ("patch", f"/api/jobs/{job.pk}", {"name": "n", "nmae": "x"}),
        ("post", f"/api/jobs/{job.pk}/resume", {"nmae": 1}),
        ("post", f"/api/jobs/{job.pk}/retry", {"nmae": 1}),
        ("post", f"/api/jobs/{job.pk}/continue", {"nmae": 1}),
        ("patch", f"/api/datasets/{dataset.pk}", {"nmae": "x"}),
        ("post", f"/api/datasets/{dataset.pk}/versions", {"nmae": "x"}),
        ("post", f"/api/datasets/{dataset.pk}/statistics", {"nmae": "x"}),
        ("post", "/api/datasets", {"file_name": "a", "file_size": 1, "nmae": 1}),
        ("patch", f"/api/adapters/{adapter.pk}", {"name": "n", "nmae": "x"}),
        ("post", f"/api/adapters/{adapter.pk}/questions", {"nmae": "x"}),
        ("post", "/api/webhooks", {"url": "https://a.example", "nmae": "x"}),
        ("put", "/api/notification-preferences", {"preferences": [], "nmae": 1}),
    ):
        answer = getattr(api, method)(path, sent, format="json")
        assert answer.status_code == 400, path
        assert "Did you mean" in answer.json()["details"]["nmae"][0], path


def test_a_key_of_an_item_of_a_list_is_named_by_its_place(api):
    item = {"kind": "job_completed", "by_email": True, "by_webhook": False}
    sent = {"preferences": [item, item | {"by_phone": True}]}
    answer = api.put("/api/notification-preferences", sent, format="json")
    assert list(answer.json()["details"]) == ["preferences.1.by_phone"]


def test_the_form_refuses_what_the_api_refuses(browser_of_owner, dataset):
    address = f"/training/configure?datasetId={dataset.pk}&lora_alpha=8"
    page = browser_of_owner.get(address).content.decode()
    assert "lora_alpha: Unknown name. Did you mean alpha?" in page
    assert "data-ready" not in page


def test_a_number_is_no_dataset(api, dataset):
    answer = api.post("/api/jobs", body(dataset, dataset_id=1), format="json")
    assert answer.status_code == 400
    assert "dataset_id" in answer.json()["details"]


def test_rows_have_the_columns_of_their_tables(api, owner, dataset):
    TrainingJobFactory(user=owner, dataset=dataset)
    job = api.get("/api/jobs").json()["data"]["jobs"][0]
    assert job["user_id"] == str(owner.pk)
    assert job["dataset_id"] == str(dataset.pk)
    assert job["artifact_id"] is None
    row = api.get(f"/api/datasets/{dataset.pk}").json()["data"]
    assert row["user_id"] == str(owner.pk)
    assert {"storage_bucket", "storage_path", "deleted_at"} <= set(row)


def test_the_nearest_name_is_the_most_alike():
    assert nearest("drop_out", ["rank", "dropout"]) == "dropout"
    assert unknown_names(["rank"], ["rank"]) == {}
    assert "Nothing can be set" in unknown_names(["a"], [])["a"]
