"""Adapters: names, versions, origin, renaming, deletion, questions, exports."""

import hashlib
import io
import zipfile

import pytest
from django.core.files.storage import default_storage
from django.test import Client
from rest_framework.test import APIClient

from lora_pipeline.tokens import hash_secret
from tests.factories import AdapterFactory, TrainingJobFactory
from tests.safetensors import weights
from training.adapters.services import MOST_WAITING, ask, delete_adapter, start_export
from training.models import (
    Adapter,
    AdapterExport,
    AdapterQuestion,
    JobEvent,
    MetricPoint,
    RunAttempt,
    TrainingJob,
)


def archive() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        target.writestr("adapter_model.safetensors", weights())
        target.writestr("adapter_config.json", b"{}")
    return buffer.getvalue()


def trained(owner, dataset, name="My job", losses=(), **facts) -> Adapter:
    """An adapter as the run protocol stores it."""
    job = TrainingJobFactory(user=owner, dataset=dataset, name=name, status="running")
    attempt = RunAttempt.objects.create(
        job=job,
        number=1,
        token_hash=hash_secret(str(job.pk)),
        facts={"versions": {"torch": "2.13.0"}} | facts,
    )
    for step, loss, validation in losses:
        MetricPoint.objects.create(
            job=job, attempt=attempt, step=step, epoch=0, loss=loss,
            validation_loss=validation, at=job.created_at,
        )  # fmt: skip
    body = archive()
    trainer = APIClient()
    trainer.credentials(HTTP_AUTHORIZATION=f"Bearer {job.pk}")
    answer = trainer.put(
        f"/api/runs/{attempt.pk}/artifact",
        body,
        content_type="application/zip",
        headers={
            "X-Content-SHA256": hashlib.sha256(body).hexdigest(),
            "X-Adapter-SHA256": hashlib.sha256(weights()).hexdigest(),
        },
    )
    assert answer.status_code == 200, answer.content
    return Adapter.objects.get(job=job)


@pytest.fixture
def adapter(owner, dataset):
    dataset.sha256 = "d" * 64
    dataset.save()
    points = [(1, 3.0, None), (2, 2.0, 1.5), (3, 1.0, 1.25), (4, 0.5, 1.75)]
    return trained(owner, dataset, losses=points)


@pytest.fixture
def browser_of_stranger(stranger):
    client = Client()
    client.force_login(stranger)
    return client


def test_it_keeps_where_it_comes_from_and_how_it_went(adapter, dataset):
    assert (adapter.name, adapter.version) == ("My job", 1)
    assert adapter.lineage["dataset"]["sha256"] == "d" * 64
    assert adapter.lineage["base_model"]["id"].endswith("SmolLM2-135M-Instruct")
    assert adapter.lineage["versions"] == {"torch": "2.13.0"}
    assert adapter.lineage["seed"] == 42
    assert adapter.lineage["hyperparameters"]["rank"] == 16
    assert (adapter.training_loss, adapter.validation_loss) == (0.5, 1.75)
    assert adapter.best_validation_loss == 1.25


def test_the_loss_is_that_of_the_step_it_delivers(owner, dataset):
    losses = [(1, 3.0, 2.5), (2, 2.0, 2.25), (3, 1.0, 4.0)]
    adapter = trained(owner, dataset, losses=losses, delivered_step=2)
    assert (adapter.training_loss, adapter.validation_loss) == (2.0, 2.25)
    assert adapter.lineage["delivered_step"] == 2


def test_versions_count_by_name_and_owner(adapter, owner, dataset, stranger):
    assert trained(owner, dataset).version == 2
    assert trained(owner, dataset, name="Other").version == 1
    foreign = TrainingJobFactory(user=stranger).dataset
    assert trained(stranger, foreign).version == 1


def test_a_deleted_version_is_not_given_again(adapter, owner, dataset):
    delete_adapter(adapter=adapter, by="owner")
    assert trained(owner, dataset).version == 2


def test_under_a_new_name_it_gets_the_next_version(adapter, owner, dataset, api):
    trained(owner, dataset, name="Other")
    path = f"/api/adapters/{adapter.pk}"
    found = api.patch(path, {"name": "Other"}, format="json").json()["data"]
    assert (found["name"], found["version"]) == ("Other", 2)
    again = api.patch(path, {"name": "Other"}, format="json").json()["data"]
    assert again["version"] == 2


def test_deleting_removes_the_files_and_leaves_the_job(
    adapter, browser_of_owner, own_storage, django_capture_on_commit_callbacks
):
    ask(adapter=adapter, question="Hello?")
    AdapterExport.objects.create(
        adapter=adapter,
        status="done",
        storage_path=default_storage.save("adapters/m.zip", io.BytesIO(b"x")),
    )
    assert len(list(own_storage.rglob("*.zip"))) == 2
    page = browser_of_owner.get(adapter.get_absolute_url()).content.decode()
    assert "Yes, delete My job v1" in page
    with django_capture_on_commit_callbacks(execute=True):
        answer = browser_of_owner.post(f"/adapters/{adapter.pk}/delete")
    assert answer.url == "/adapters"
    assert not list(own_storage.rglob("*.zip"))
    assert browser_of_owner.get(adapter.get_absolute_url()).status_code == 404
    job = TrainingJob.objects.get(pk=adapter.job_id)
    assert job.artifact is None
    assert JobEvent.objects.filter(job=job, message__contains="was deleted").exists()
    assert browser_of_owner.get(job.get_absolute_url()).status_code == 200
    assert not AdapterQuestion.objects.exists()


def test_the_pages_show_it_with_code_to_load_it(adapter, browser_of_owner):
    page = browser_of_owner.get("/adapters").content.decode()
    assert "My job" in page
    page = browser_of_owner.get(adapter.get_absolute_url()).content.decode()
    for words in (
        "AutoPeftModelForCausalLM.from_pretrained",
        "vllm serve HuggingFaceTB/SmolLM2-135M-Instruct",
        "--max-lora-rank 16",
        adapter.archive_sha256,
        "d" * 64,
        "2.13.0",
    ):
        assert words in page
    found = browser_of_owner.get("/adapters?search=nothing").content.decode()
    assert adapter.get_absolute_url() not in found


def test_a_question_is_asked_and_the_page_polls_until_it_is_answered(
    adapter, browser_of_owner
):
    path = adapter.get_absolute_url()
    body = {"question": "What is it?", "max_new_tokens": 20, "system": "Be brief."}
    assert browser_of_owner.post(f"{path}/ask", body).status_code == 302
    page = browser_of_owner.get(path).content.decode()
    assert "Queued" in page
    assert "hx-trigger" in page
    AdapterQuestion.objects.update(
        status="done", base_answer="Nothing.", adapter_answer="A lamp."
    )
    part = browser_of_owner.get(path, headers={"HX-Request": "true"}).content.decode()
    assert part.strip().startswith('<div id="work"')
    assert "Nothing." in part
    assert "A lamp." in part
    assert "hx-trigger" not in part
    browser_of_owner.post(f"{path}/questions/clear")
    assert not AdapterQuestion.objects.exists()


@pytest.mark.parametrize(
    "change",
    [{"question": ""}, {"question": "x" * 4001}, {"max_new_tokens": 513},
     {"max_new_tokens": 0}, {"system": "x" * 2001}],
)  # fmt: skip
def test_page_and_api_refuse_the_same_questions(change, adapter, browser_of_owner, api):
    body = {"question": "Hello?", "max_new_tokens": 20} | change
    page = browser_of_owner.post(f"{adapter.get_absolute_url()}/ask", body)
    assert page.status_code == 422
    path = f"/api/adapters/{adapter.pk}/questions"
    assert api.post(path, body, format="json").status_code == 400
    assert not AdapterQuestion.objects.exists()


def test_only_so_many_questions_wait(adapter, api):
    path = f"/api/adapters/{adapter.pk}/questions"
    for _ in range(MOST_WAITING):
        assert api.post(path, {"question": "?"}, format="json").status_code == 202
    refused = api.post(path, {"question": "?"}, format="json")
    assert (refused.status_code, refused.json()["code"]) == (409, "too_many_questions")
    assert len(api.get(path).json()["data"]["questions"]) == MOST_WAITING


def test_an_answer_with_nul_is_kept(adapter, owner, tmp_path, monkeypatch):
    from contextlib import nullcontext

    from training.adapters import work

    said = [{"base": "a\x00b"}, {"adapter": "c"}]
    monkeypatch.setattr(work, "lines_of", lambda *args, **more: iter(said))
    monkeypatch.setattr(work, "hand_over", lambda folder: None)
    monkeypatch.setattr(work, "fetched", lambda one: nullcontext((tmp_path, [])))
    question = ask(adapter=adapter, question="?", system="", max_new_tokens=5)
    work.answer(str(question.pk))
    question.refresh_from_db()
    assert (question.base_answer, question.adapter_answer) == (
        "a\N{SYMBOL FOR NULL}b",
        "c",
    )


def test_an_export_is_begun_once_and_again_after_a_failure(adapter, api):
    path = f"/api/adapters/{adapter.pk}/export"
    assert api.get(path).status_code == 404
    first = api.post(path)
    assert (first.status_code, first.json()["data"]["status"]) == (202, "waiting")
    assert start_export(adapter=adapter)[1] is False
    assert api.get(f"{path}/download").status_code == 404
    AdapterExport.objects.update(status="failed", error="no room")
    assert api.get(path).json()["data"]["error"] == "no room"
    assert start_export(adapter=adapter)[1] is True
    assert api.get(path).json()["data"]["status"] == "waiting"


def test_a_stranger_finds_nothing(adapter, browser_of_stranger, stranger_api):
    ask(adapter=adapter, question="secret?")
    start_export(adapter=adapter)
    path = adapter.get_absolute_url()
    for name in ("", "/download", "/merged"):
        assert browser_of_stranger.get(path + name).status_code == 404
    for name in ("rename", "delete", "export", "ask", "questions/clear"):
        assert browser_of_stranger.post(f"{path}/{name}").status_code == 404
    assert adapter.get_absolute_url() not in (
        browser_of_stranger.get("/adapters").content.decode()
    )
    path = f"/api/adapters/{adapter.pk}"
    for name in ("", "/download", "/export", "/export/download", "/questions"):
        assert stranger_api.get(path + name).status_code == 404
    assert stranger_api.post(f"{path}/export").status_code == 404
    body = {"question": "?"}
    answer = stranger_api.post(f"{path}/questions", body, format="json")
    assert answer.status_code == 404
    assert stranger_api.patch(path, {"name": "x"}, format="json").status_code == 404
    assert stranger_api.delete(path).status_code == 404
    assert stranger_api.get("/api/adapters").json()["data"]["adapters"] == []


def test_the_list_takes_the_same_queries_for_one_and_for_many(
    owner, dataset, browser_of_owner, django_assert_num_queries
):
    for count in (1, 2):
        AdapterFactory(job=TrainingJobFactory(user=owner, dataset=dataset))
        with django_assert_num_queries(6):
            page = browser_of_owner.get("/adapters").content.decode()
        assert page.count("/download") == count
