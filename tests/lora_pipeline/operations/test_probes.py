"""What those see who watch the console, and what they do not."""

import json
import os
import subprocess
import sys
from datetime import timedelta

import pytest
from django.core.files.storage import default_storage
from django.db import connection
from django.test import Client
from django.utils import timezone
from prometheus_client.parser import text_string_to_metric_families

from lora_pipeline.operations import health, probes
from tests.factories import DatasetFactory, TrainingJobFactory
from training.models import DeviceClaim, GpuOffer, Machine, RunAttempt
from training.runs import draining, heartbeat


@pytest.fixture(autouse=True)
def asked_anew():
    probes._recent.forget()


@pytest.fixture
def all_there(db):
    heartbeat.beat()
    with connection.cursor() as cursor:
        cursor.execute("INSERT INTO procrastinate_workers DEFAULT VALUES")


def figures(**headers) -> dict[tuple, float]:
    answer = Client().get("/metrics", **headers)
    assert answer.status_code == 200, answer.content
    return {
        (sample.name, *sorted(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(answer.content.decode())
        for sample in family.samples
    }


def test_alive_asks_no_database():
    answer = Client().get("/healthz", HTTP_COOKIE="sessionid=abcdefgh12345678")
    assert (answer.status_code, answer.content) == (200, b"ok\n")


def test_ready_when_all_is_there(all_there):
    answer = Client().get("/readyz")
    assert answer.json() == {"ready": True, "missing": {}}
    assert answer.status_code == 200
    assert default_storage.listdir(health.PROBE_FOLDER)[1] == []


def test_without_a_database_it_lives_and_says_that_it_is_not_ready(tmp_path):
    """In a process of its own, whose database is a closed port."""
    code = (
        "import json, django; django.setup(); from django.test import Client; "
        "paths = ['/healthz', '/readyz', '/readyz']; "
        "got = [Client().get(p, HTTP_HOST='127.0.0.1') for p in paths]; "
        "print(json.dumps([[g.status_code, g.content.decode()] for g in got]))"
    )
    environment = os.environ | {
        "DATABASE_URL": "postgres://somebody:secret@127.0.0.1:1/x",
        "LORA_PIPELINE_VAR": str(tmp_path),
        "LORA_PIPELINE_DATABASE_ROLE": "web",
        "DJANGO_SETTINGS_MODULE": "lora_pipeline.settings",
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True
    )
    alive, ready, again = json.loads(done.stdout)
    assert alive == [200, "ok\n"]
    assert ready == again
    assert ready[0] == 503
    missing = {"database": "the database does not answer"}
    assert json.loads(ready[1]) == {"ready": False, "missing": missing}


@pytest.mark.django_db
def test_not_ready_says_what_is_missing():
    Machine.objects.create(pk="local", seen_at=timezone.now() - timedelta(seconds=99))
    answer = Client().get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["missing"] == {
        "worker": "no worker heartbeat yet",
        "reconciler": "no reconciler heartbeat for 99 s",
    }


def test_a_storage_that_cannot_be_written_is_named(all_there, own_storage):
    own_storage.write_text("a file where the folder should be")
    missing = Client().get("/readyz").json()["missing"]
    assert missing == {"storage": "the storage is not writable"}


def test_a_migration_that_is_not_applied_is_counted(all_there):
    with connection.cursor() as cursor:
        cursor.execute("RESET ROLE; DELETE FROM django_migrations WHERE id % 2 = 0")
        cursor.execute("SET ROLE lp_operator")
    assert "not applied" in Client().get("/readyz").json()["missing"]["migrations"]


@pytest.mark.parametrize("path", ["/readyz", "/healthz", "/metrics"])
def test_nothing_is_posted_to_a_probe(all_there, path):
    assert Client().post(path).status_code == 405


def test_figures_count_jobs_slots_and_bytes(all_there, owner):
    job = TrainingJobFactory(user=owner, status="queued")
    dataset = DatasetFactory(user=owner, file_size=1_000_000)
    GpuOffer.objects.create(
        backend="local", gpu_type_id="H100", count=3, seen_at=timezone.now()
    )
    attempt = RunAttempt.objects.create(job=job, number=1, token_hash="t")
    DeviceClaim.objects.create(backend="local", device="1", attempt=attempt)
    RunAttempt.objects.create(
        job=TrainingJobFactory(user=owner),
        number=1,
        token_hash="u",
        outcome="lost",
        ended_at=timezone.now(),
    )
    found = figures()
    assert found["lora_pipeline_jobs", "queued"] >= 1
    assert found["lora_pipeline_slots", "H100", "free"] == 2
    assert found["lora_pipeline_slots", "H100", "used"] == 1
    assert found["lora_pipeline_run_attempts", "lost"] == 1
    assert found["lora_pipeline_stored_bytes", "datasets"] >= dataset.file_size
    assert 0 <= found["lora_pipeline_heartbeat_age_seconds", "worker"] < 30
    assert found["lora_pipeline_queue_oldest_seconds",] > 0


def test_draining_is_seen_in_the_figures(all_there):
    assert figures()["lora_pipeline_machine_draining", "local"] == 0
    draining.drain(by="test")
    assert figures()["lora_pipeline_machine_draining", "local"] == 1


def test_requests_are_counted_by_route_and_not_by_address(all_there, owner, api):
    job = TrainingJobFactory(user=owner)
    Client().get(f"/nowhere/{job.pk}")
    before = figures()
    api.get(f"/api/jobs/{job.pk}")
    after = figures()
    changed = {key for key, value in after.items() if before.get(key, 0) != value}
    assert any("http_requests" in key[0] and "job" in key[-1] for key in changed)
    assert not [key for key in after if str(job.pk) in "".join(key)]


def test_the_figures_hold_no_name_of_anybody(all_there, owner):
    TrainingJobFactory(user=owner, name="secret project")
    DatasetFactory(user=owner, name="secret chats", file_name="secret.jsonl")
    text = Client().get("/metrics").content.decode()
    assert "secret" not in text
    assert owner.username not in text


@pytest.mark.parametrize(
    "headers",
    [
        {"REMOTE_ADDR": "10.0.0.7"},
        {"REMOTE_ADDR": ""},
        {"HTTP_X_FORWARDED_FOR": "10.0.0.7"},
        {"HTTP_X_REAL_IP": "127.0.0.1"},
    ],
)
def test_without_a_token_only_this_machine_reads_figures(all_there, headers):
    answer = Client().get("/metrics", **headers)
    assert answer.status_code == 403
    assert b"lora_pipeline_" not in answer.content


def test_with_a_token_the_token_decides(all_there, settings):
    settings.METRICS_TOKEN = "correct-horse"
    assert Client().get("/metrics").status_code == 403
    wrong = {"HTTP_AUTHORIZATION": "Bearer corect-horse"}
    assert Client().get("/metrics", **wrong).status_code == 403
    right = {"HTTP_AUTHORIZATION": "Bearer correct-horse", "REMOTE_ADDR": "10.0.0.7"}
    assert figures(**right)
