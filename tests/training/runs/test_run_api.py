"""The run protocol: numbered events, fencing, the adapter."""

import hashlib
import io
import zipfile

import pytest
from rest_framework.test import APIClient

from lora_pipeline.tokens import hash_secret
from tests.factories import TrainingJobFactory
from tests.safetensors import weights
from training.adapters.lineage import lineage_of
from training.models import RunAttempt
from training.runs.outcomes import end_attempt
from training.runs.protocol.spec import run_spec

NOW = "2026-01-01T00:00:00Z"
WEIGHTS = weights()


@pytest.fixture
def attempt(owner, dataset):
    job = TrainingJobFactory(user=owner, dataset=dataset, status="initializing")
    return RunAttempt.objects.create(job=job, number=1, token_hash=hash_secret("token"))


@pytest.fixture
def trainer():
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Bearer token")
    return client


def post(trainer, attempt, *events):
    numbered = [{"at": NOW, "sequence": n, **values} for n, values in events]
    path = f"/api/runs/{attempt.pk}/events"
    return trainer.post(path, {"events": numbered}, format="json")


def metrics(step, loss=1.0):
    return {"type": "metrics", "step": step, "epoch": 0.1, "loss": loss}


def test_events_sent_twice_are_taken_once(trainer, attempt):
    started = (1, {"type": "started"})
    stage = (2, {"type": "stage", "stage": "training"})
    first = post(trainer, attempt, started, stage, (3, metrics(1)))
    assert first.json()["data"] == {
        "cancel": False,
        "reason": "",
        "accepted_through": 3,
    }
    post(trainer, attempt, (3, metrics(1, loss=9.0)), (4, metrics(2, loss=0.5)))
    points = attempt.job.metrics.values_list("step", "loss")
    assert list(points) == [(1, 1.0), (2, 0.5)]
    attempt.job.refresh_from_db()
    assert (attempt.job.status, attempt.job.current_step) == ("running", 2)


def test_a_gap_is_refused_and_nothing_of_it_is_kept(trainer, attempt):
    answer = post(trainer, attempt, (2, metrics(1)))
    assert answer.status_code == 422
    assert answer.json()["details"] == {"expected": 1}
    assert not attempt.job.metrics.exists()


def test_the_bases_commit_is_kept_with_the_job_and_given_to_later_attempts(
    trainer, attempt
):
    first, moved = "a" * 40, "b" * 40
    assert run_spec(attempt)["base_model"]["revision"] is None
    for number, commit in ((1, first), (2, moved)):
        post(
            trainer,
            attempt,
            (number, {"type": "facts", "facts": {"base_commit": commit}}),
        )
    attempt.job.refresh_from_db()
    assert attempt.job.base_commit == first
    assert run_spec(attempt)["base_model"]["revision"] == first
    assert lineage_of(attempt.job, attempt)["base_model"]["revision"] == first


@pytest.mark.parametrize("commit", ["main", "../x", "", "A" * 40, 7])
def test_a_commit_that_is_none_is_refused(trainer, attempt, commit):
    facts = {"type": "facts", "facts": {"base_commit": commit}}
    assert post(trainer, attempt, (1, facts)).status_code == 400


def test_an_ended_attempt_is_heard_no_more(trainer, attempt):
    end_attempt(attempt, "lost")
    assert post(trainer, attempt, (1, metrics(1))).status_code == 410


def test_a_token_opens_only_its_own_run(trainer, attempt, owner, dataset):
    other = TrainingJobFactory(user=owner, dataset=dataset)
    foreign = RunAttempt.objects.create(job=other, number=1, token_hash="other")
    assert post(trainer, foreign, (1, metrics(1))).status_code == 404
    trainer.credentials(HTTP_AUTHORIZATION="Bearer wrong")
    assert post(trainer, attempt, (1, metrics(1))).status_code == 401


def test_an_event_without_its_step_is_a_400(trainer, attempt):
    assert post(trainer, attempt, (1, {"type": "metrics"})).status_code == 400


def test_nan_is_stored_as_absent(trainer, attempt):
    body = (
        f'{{"events": [{{"sequence": 1, "at": "{NOW}", "type": "metrics", '
        '"step": 1, "loss": NaN}]}'
    )
    path = f"/api/runs/{attempt.pk}/events"
    answer = trainer.post(path, body, content_type="application/json")
    assert answer.status_code in (200, 400)
    assert not attempt.job.metrics.exclude(loss=None).exists()


def archive(**files):
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as target:
        for name, content in files.items():
            target.writestr(name.replace("__", "."), content)
    return buffer.getvalue()


def put(trainer, attempt, body, sent=WEIGHTS, checksum=None):
    return trainer.put(
        f"/api/runs/{attempt.pk}/artifact",
        body,
        content_type="application/zip",
        headers={
            "X-Content-SHA256": checksum or hashlib.sha256(body).hexdigest(),
            "X-Adapter-SHA256": hashlib.sha256(sent).hexdigest(),
        },
    )


def test_an_adapter_is_stored_with_its_checksums(trainer, attempt, api):
    body = archive(adapter_model__safetensors=WEIGHTS, adapter_config__json=b"{}")
    found = put(trainer, attempt, body).json()["data"]["adapter_id"]
    download = api.get(f"/api/adapters/{found}/download")
    assert b"".join(download.streaming_content) == body


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"adapter_config__json": b"{}"}, "is missing adapter_model.safetensors"),
        (
            {
                "adapter_model__safetensors": WEIGHTS,
                "adapter_config__json": b"{}",
                "x__pkl": b"",
            },
            "a forbidden file",
        ),
    ],
)
def test_a_wrong_archive_is_refused(files, words, trainer, attempt):
    answer = put(trainer, attempt, archive(**files))
    assert answer.status_code == 400
    assert words in answer.json()["error"]


def test_a_broken_transfer_is_refused_and_not_kept(trainer, attempt, own_storage):
    body = archive(adapter_model__safetensors=WEIGHTS, adapter_config__json=b"{}")
    assert put(trainer, attempt, body, checksum="0" * 64).status_code == 400
    assert not list(own_storage.rglob("*.zip"))


def test_a_stranger_cannot_download(trainer, attempt, stranger_api):
    body = archive(adapter_model__safetensors=WEIGHTS, adapter_config__json=b"{}")
    found = put(trainer, attempt, body).json()["data"]["adapter_id"]
    assert stranger_api.get(f"/api/adapters/{found}/download").status_code == 404
