"""What one user may have: the console's default, or an operator's number for them."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection

from datasets import services
from datasets.models import Dataset
from lora_pipeline.accounts.services import create_api_key
from lora_pipeline.errors import Refusal
from lora_pipeline.models import User
from tests.factories import AdapterFactory, DatasetFactory, TrainingJobFactory, bring_to
from tests.openapi import conforms
from tests.training.jobs.contract import CREATE
from tests.training.jobs.test_api import body
from training.adapters.services import MOST_WAITING, ask
from training.jobs.controls import pause_job
from training.models import (
    AdapterExport,
    AdapterQuestion,
    BaseModel,
    Checkpoint,
    RunAttempt,
)

ROW = b'{"prompt": "a", "completion": "b"}\n'


def give(user: User, **limits: int) -> None:
    found = {f"quota_{kind}": limit for kind, limit in limits.items()}
    User.objects.filter(pk=user.pk).update(**found)


def quotas(api) -> dict[str, tuple[int, int, int]]:
    found = conforms(api.get("/api/quotas"), "GET", "/api/quotas")["data"]["quotas"]
    return {q["kind"]: (q["used"], q["limit"], q["free"]) for q in found}


def test_the_defaults_are_settings_and_an_operator_gives_others(api, owner, settings):
    settings.QUOTA_WEBHOOKS, settings.QUOTA_QUEUED_JOBS = 7, 3
    give(owner, queued_jobs=20)
    found = quotas(api)
    assert found["webhooks"] == (0, 7, 7)
    assert found["queued_jobs"] == (0, 20, 20)
    assert found["api_keys"] == (1, 50, 49)


def test_storage_is_datasets_adapters_merged_models_and_checkpoints(
    api, owner, stranger
):
    DatasetFactory(user=owner, file_size=100, stored_bytes=250)
    DatasetFactory(user=owner, file_size=1000, status="uploading")
    adapter = AdapterFactory(job__user=owner, size_bytes=10_000)
    AdapterExport.objects.create(adapter=adapter, size_bytes=100_000)
    job = adapter.job
    attempt = RunAttempt.objects.create(
        job=job, number=1, token_hash="a", process_count=1
    )
    Checkpoint.objects.create(
        job=job, attempt=attempt, step=1, name="checkpoint-1", size_bytes=1_000_000
    )
    DatasetFactory(user=stranger, file_size=7)
    own_dataset_of_the_job = 1000
    used = quotas(api)["storage_bytes"][0]
    assert used == 250 + 1000 + 10_000 + 100_000 + 1_000_000 + own_dataset_of_the_job


def test_an_upload_beyond_the_storage_is_refused_with_the_numbers(api, owner):
    DatasetFactory(user=owner, file_size=900)
    give(owner, storage_bytes=1000)
    file = SimpleUploadedFile("a.jsonl", ROW * 10)
    answer = api.post("/api/datasets", {"file": file}, format="multipart")
    assert answer.status_code == 413
    found = answer.json()
    assert found["code"] == "quota"
    assert found["details"] == {
        "quota": "storage_bytes", "used": 900, "limit": 1000, "needed": 350,
    }  # fmt: skip
    assert "you use 900 bytes of 1000 bytes, and this takes 350 bytes" in found["error"]


def test_an_upload_in_pieces_is_refused_before_the_first_one(api, owner):
    give(owner, storage_bytes=1000)
    begin = {"file_name": "a.jsonl", "file_size": 600}
    assert api.post("/api/datasets", begin, format="json").status_code == 201
    refused = api.post("/api/datasets", begin, format="json")
    conforms(refused, "POST", "/api/datasets")
    assert (refused.status_code, refused.json()["code"]) == (413, "quota")


def test_the_upload_page_says_it_beside_the_form(browser_of_owner, owner):
    give(owner, storage_bytes=100)
    file = SimpleUploadedFile("a.jsonl", ROW * 10)
    answer = browser_of_owner.post("/datasets/upload", {"file": file})
    assert answer.status_code == 422
    assert b"you use 0 bytes of 100 bytes" in answer.content


@pytest.mark.parametrize(
    ("kind", "limit", "status"), [("queued_jobs", 1, 409), ("storage_bytes", 1, 413)]
)
def test_a_job_too_many_is_refused(kind, limit, status, api, owner, dataset):
    TrainingJobFactory(user=owner)
    give(owner, **{kind: limit})
    answer = CREATE.call(api, data=body(dataset, preset_id="custom"))
    conforms(answer, "POST", "/api/jobs")
    assert answer.status_code == status
    assert answer.json()["code"] == "quota"
    assert answer.json()["details"]["quota"] == kind


def test_a_job_that_started_no_longer_counts_as_queued(api, owner, dataset):
    bring_to(TrainingJobFactory(user=owner), "initializing")
    give(owner, queued_jobs=1)
    assert CREATE.call(api, data=body(dataset, preset_id="custom")).status_code == 201


def test_a_key_too_many_is_refused_until_one_is_revoked(browser_of_owner, owner):
    give(owner, api_keys=1)
    key, _ = create_api_key(owner=owner, name="first")
    asked = {"name": "second", "scope": "read"}
    answer = browser_of_owner.post("/keys", asked)
    assert answer.status_code == 422
    assert b"you use 1 of 1" in answer.content
    with pytest.raises(Refusal):
        create_api_key(owner=owner, name="second")
    browser_of_owner.post(f"/keys/{key.pk}/revoke")
    assert browser_of_owner.post("/keys", asked).status_code == 200


def test_the_user_sees_the_limits(browser_of_owner, owner):
    give(owner, storage_bytes=5 * 1024**3)
    page = browser_of_owner.get("/costs").content.decode()
    assert "Your limits" in page
    assert "5.0 GB" in page


def test_an_operator_changes_them_in_the_admin(admin_client, owner):
    page = admin_client.get(f"/admin/lora_pipeline/user/{owner.pk}/change/")
    form = page.context["adminform"].form
    values = {
        k: v for k, v in form.initial.items() if v is not None and k != "password"
    }
    answer = admin_client.post(page.request["PATH_INFO"], values | {
        "quota_storage_bytes": "123", "quota_api_keys": "", "_save": "",
    })  # fmt: skip
    assert answer.status_code == 302, answer.context["errors"]
    owner.refresh_from_db()
    assert (owner.quota_storage_bytes, owner.quota_api_keys) == (123, None)


@pytest.mark.parametrize("way", ["resume", "continue"])
def test_a_paused_job_goes_back_to_the_queue_only_where_there_is_room(
    way, api, owner, dataset
):
    """Else: fill the queue, pause all, fill it again, and resume them all."""
    job = TrainingJobFactory(user=owner, dataset=dataset)
    pause_job(job_id=job.pk, by="owner")
    attempt = RunAttempt.objects.create(
        job=job, number=1, token_hash="a", process_count=1
    )
    Checkpoint.objects.create(
        job=job, attempt=attempt, step=1, name="checkpoint-1", size_bytes=1
    )
    waiting = TrainingJobFactory(user=owner, dataset=dataset)
    give(owner, queued_jobs=1)
    refused = api.post(f"/api/jobs/{job.pk}/{way}", {}, format="json")
    conforms(refused, "POST", f"/api/jobs/{{id}}/{way}")
    assert (refused.status_code, refused.json()["code"]) == (409, "quota")
    job.refresh_from_db()
    assert job.status == "paused"
    pause_job(job_id=waiting.pk, by="owner")
    assert api.post(f"/api/jobs/{job.pk}/{way}", {}, format="json").status_code == 200


def test_a_merge_counts_before_it_has_written_a_byte(api, owner):
    adapters = [AdapterFactory(job__user=owner, size_bytes=0) for _ in range(2)]
    model = adapters[0].job.base_model
    BaseModel.objects.filter(pk=model.pk).update(parameters=1000)
    used = quotas(api)["storage_bytes"][0]
    give(owner, storage_bytes=used + 4 * 1000)
    first, second = (f"/api/adapters/{adapter.pk}/export" for adapter in adapters)
    assert api.post(first, {}, format="json").status_code == 202
    refused = api.post(second, {}, format="json")
    conforms(refused, "POST", "/api/adapters/{id}/export")
    assert (refused.status_code, refused.json()["code"]) == (413, "quota")
    AdapterExport.objects.update(status="failed")
    assert api.post(second, {}, format="json").status_code == 202


def test_the_page_says_that_there_is_no_room_for_a_merge(browser_of_owner, owner):
    adapter = AdapterFactory(job__user=owner)
    give(owner, storage_bytes=1)
    answer = browser_of_owner.post(f"/adapters/{adapter.pk}/export", follow=True)
    assert b"Storage: you use" in answer.content


class AtOnce:
    """Calls that all come to the middle before any of them goes on, if they may."""

    def __init__(self, monkeypatch, middle: Any, name: str, number: int) -> None:
        self.meeting = threading.Barrier(number, timeout=2)
        original = getattr(middle, name)

        def met(*args, **options):
            with suppress(threading.BrokenBarrierError):
                self.meeting.wait()
            return original(*args, **options)

        monkeypatch.setattr(middle, name, met)

    def call(self, *calls) -> list[Any]:
        with ThreadPoolExecutor(len(calls)) as threads:
            return list(threads.map(self._caught, calls))

    def _caught(self, call) -> Any:
        try:
            return call()
        except Refusal as refusal:
            return refusal.code
        finally:
            connection.close()


@pytest.mark.django_db(transaction=True)
def test_uploads_that_arrive_together_share_the_room(monkeypatch, owner):
    give(owner, storage_bytes=1500)
    at_once = AtOnce(monkeypatch, services, "first_look", 3)

    def upload():
        file = SimpleUploadedFile("a.jsonl", ROW * 20)
        return services.create_dataset(owner=owner, file=file).status

    ends = at_once.call(upload, upload, upload)
    assert sorted(ends) == ["quota", "validating", "validating"]
    kept = {dataset.storage_path for dataset in Dataset.objects.all()}
    stored = Path(default_storage.location, "datasets").glob("*/original")
    assert len(list(stored)) == len(kept) == 2


@pytest.mark.django_db(transaction=True)
def test_questions_to_several_adapters_share_one_limit(monkeypatch, owner):
    adapters = [AdapterFactory(job__user=owner) for _ in range(3)]
    for _ in range(MOST_WAITING - 1):
        AdapterQuestion.objects.create(
            adapter=adapters[0], question="?", max_new_tokens=8
        )
    at_once = AtOnce(monkeypatch, AdapterQuestion.objects, "create", 3)
    calls = [partial(ask, adapter=adapter, question="?") for adapter in adapters]
    codes = [end for end in at_once.call(*calls) if isinstance(end, str)]
    assert codes == ["too_many_questions"] * 2
