"""Reports that no trainer should send: stored or refused for good, never a 500."""

import json
from datetime import UTC, datetime

import pytest
from django.db import transaction
from django.test import Client
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lora_pipeline.tokens import hash_secret
from tests.factories import AdapterFactory, TrainingJobFactory
from training.models import MetricPoint, RunAttempt

NOW = "2026-01-01T00:00:00Z"
ODD_NUMBERS = [2**31, 2**63, -1, 10**400, 1e308, -1e308, 0, 0.5, True]
NOT_JSON = [float("nan"), float("inf"), float("-inf")]
ODD_TEXTS = ["", "\0", "a\0b", "\ud800", "\\u0000", "x" * 5000, "NaN", "-Infinity"]
ODD = [None, [], {}, ["\0"], {"\0": 1}, {"measured": 1}, [[[[]]]], "checkpoint-\0"]
USUAL = {
    "started": {"pid": 1, "hostname": "h", "versions": {"torch": "2"}, "world_size": 1},
    "steps": {"total_steps": 90},
    "stage": {"stage": "training"},
    "metrics": {
        "step": 3,
        "epoch": 0.1,
        "loss": 1.0,
        "learning_rate": 1e-4,
        "grad_norm": 0.5,
        "tokens_seen": 100,
        "tokens_per_second": 9.0,
        "step_seconds": 0.1,
        "gpu_use": 50.0,
        "gpu_memory_bytes": 10,
    },
    "eval": {"step": 3, "epoch": 0.1, "loss": 1.0},
    "checkpoint": {"step": 3, "name": "checkpoint-3", "size_bytes": 10},
    "freed": {"names": ["checkpoint-3"]},
    "facts": {"facts": {"adapter_hashes": ["a"], "measured": {"steps": 3}}},
    "log": {"message": "words", "level": "warning"},
    "completed": {},
    "cancelled": {"step": 3},
    "failed": {"kind": "trainer_error", "message": "m", "stack": "s", "log_tail": "t"},
    "of a newer trainer": {"what": 1},
}
PAGES = ("", "/metrics.csv", "/metrics.json", "/log.txt")

odd_values = (
    st.sampled_from(ODD_NUMBERS + NOT_JSON + ODD_TEXTS + ODD)
    | st.text(max_size=20)
    | st.integers()
    | st.floats()
)


@st.composite
def events(draw):
    """One event, most of it as usual."""
    kind = draw(st.sampled_from(sorted(USUAL)))
    values = dict(USUAL[kind])
    for name in draw(st.lists(st.sampled_from([*values, "at", "type"]), max_size=2)):
        if draw(st.booleans()):
            values[name] = draw(odd_values)
        else:
            values.pop(name, None)
    return {"type": kind, "at": NOW} | values


@pytest.fixture
def attempt(owner, dataset):
    return attempt_of(TrainingJobFactory(user=owner, dataset=dataset, status="running"))


def attempt_of(job) -> RunAttempt:
    """A run of the job that has already sent its adapter."""
    job.artifact = AdapterFactory(job=job)
    job.save()
    return RunAttempt.objects.create(
        job=job,
        number=1,
        token_hash=hash_secret("token"),
        started_at=datetime(2026, 1, 1, tzinfo=UTC),
    )


def post(attempt, *given, raw=None):
    numbered = [{"sequence": n} | event for n, event in enumerate(given, 1)]
    client = Client(raise_request_exception=False)
    return client.post(
        f"/api/runs/{attempt.pk}/events",
        json.dumps({"events": numbered}) if raw is None else raw,
        content_type="application/json",
        headers={"Authorization": "Bearer token"},
    )


def metrics(step=1, **values):
    return {"type": "metrics", "at": NOW, "step": step, "epoch": 0.1} | values


@settings(
    max_examples=80,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(given_events=st.lists(events(), max_size=4))
def test_no_report_is_answered_by_a_5xx_and_what_is_taken_can_be_shown(
    attempt, client, given_events
):
    with transaction.atomic():
        answer = post(attempt, *given_events)
        assert answer.status_code in {200, 400, 409}, answer.content
        if answer.status_code == 200:
            _show(attempt.job, client)
        transaction.set_rollback(True)


def _show(job, client):
    client.force_login(job.user)
    for path in (f"/api/jobs/{job.pk}", f"/api/jobs/{job.pk}/metrics"):
        json.loads(client.get(path).content, parse_constant=pytest.fail)
    for page in PAGES:
        assert client.get(f"/training/jobs/{job.pk}{page}").status_code in {200, 404}


@pytest.mark.parametrize(
    "event",
    [
        {"type": "log", "message": "a\0b"},
        {"type": "failed", "message": "a\0b"},
        {"type": "started", "hostname": "a\0b"},
        {"type": "facts", "facts": {"adapter_hashes": ["\0"]}},
        {"type": "facts", "facts": "none"},
        {"type": "freed", "names": ["\0"]},
        {"type": "freed", "names": 5},
        {"type": "metrics", "step": 2**31},
        {"type": "metrics", "step": 1, "tokens_seen": 2**63},
        {"type": "metrics", "step": 1, "loss": "low"},
        {"type": "checkpoint", "step": 1, "name": "checkpoint-1", "size_bytes": "1"},
        {"type": "steps", "total_steps": 2**31},
        {"type": "metrics", "step": 1, "at": "0001-01-01T00:00:00+23:59"},
        {"type": "\0"},
    ],
    ids=str,
)
def test_what_can_never_be_stored_is_a_400_that_names_the_event(attempt, event):
    answer = post(attempt, {"type": "log", "at": NOW}, {"at": NOW} | event)
    assert answer.status_code == 400
    assert "Event '2 (" in answer.json()["details"]["events"][0]
    attempt.refresh_from_db()
    assert attempt.last_sequence == 0


@pytest.mark.parametrize("raw", ["", "[]", '{"events": NaN}', b'"\xff"', "[" * 9000])
def test_a_body_that_is_no_report_is_a_400(attempt, raw):
    assert post(attempt, raw=raw).status_code == 400


def test_a_backslash_before_u0000_is_only_text(attempt):
    said = r"the string \u0000 in a regular expression"
    assert post(attempt, {"type": "log", "at": NOW, "message": said}).status_code == 200
    assert attempt.job.events.get().message == said


def test_a_kind_of_a_newer_trainer_is_noted_and_the_rest_taken(attempt):
    newer = {"type": "gossip", "at": NOW, "what": [1]}
    assert post(attempt, newer, metrics(loss=2.0)).status_code == 200
    assert "unknown event type: gossip" in attempt.job.events.get().message
    assert attempt.job.metrics.get().loss == 2.0


def test_completing_a_run_that_never_began_is_a_409(owner, dataset):
    attempt = attempt_of(
        TrainingJobFactory(user=owner, dataset=dataset, status="initializing")
    )
    assert post(attempt, {"type": "completed", "at": NOW}).status_code == 409


@pytest.fixture
def diverged(attempt):
    words = {"loss": "NaN", "grad_norm": "Infinity"}
    steps = [metrics(1, loss=2.0), metrics(2, loss=1.5), metrics(3, **words)]
    evaluation = {"type": "eval", "at": NOW, "step": 3, "loss": "NaN"}
    assert post(attempt, *steps, evaluation).status_code == 200
    return attempt.job


def test_a_loss_that_is_no_number_is_null_in_json_with_its_word(diverged, api):
    row = api.get(f"/api/jobs/{diverged.pk}/metrics").json()["data"]["metrics"][-1]
    assert (row["loss"], row["grad_norm"]) == (None, None)
    assert row["not_finite"] == {
        "loss": "NaN",
        "validation_loss": "NaN",
        "grad_norm": "Infinity",
    }
    now = api.get(f"/api/jobs/{diverged.pk}").json()["data"]["current_metrics"]
    assert now["loss"] is None
    assert now["not_finite"] == row["not_finite"]


def test_a_loss_that_is_no_number_stands_on_the_page_and_in_the_table(diverged, client):
    client.force_login(diverged.user)
    page = client.get(f"/training/jobs/{diverged.pk}").content.decode()
    assert '<dd id="loss">not a number</dd>' in page
    assert "The loss was not a number at step 3." in page
    assert "nan" not in page[page.index("<svg") :].split("</svg>")[0]
    table = client.get(f"/training/jobs/{diverged.pk}/metrics.csv").content.decode()
    assert ",nan," in table.splitlines()[-1]


def test_a_number_after_one_that_was_none_takes_its_mark_away(diverged, attempt):
    attempt.refresh_from_db()
    raw = json.dumps({"events": [{"sequence": 5} | metrics(4, loss=1.0)]})
    assert post(attempt, raw=raw).status_code == 200
    diverged.refresh_from_db()
    kept = diverged.current_metrics
    assert (kept["loss"], kept["not_finite"]) == (1.0, {"validation_loss": "NaN"})


def test_the_best_and_the_last_are_taken_from_real_numbers(diverged):
    points = MetricPoint.objects.filter(job=diverged)
    assert list(points.with_finite("loss").values_list("step", flat=True)) == [1, 2]
    assert not points.with_finite("validation_loss").exists()
