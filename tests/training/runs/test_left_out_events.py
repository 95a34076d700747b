"""The trainer's reporter against the real console: what cannot be taken is left out."""

import sys
import time
from pathlib import Path

import pytest
from django.utils import timezone

from lora_pipeline.tokens import hash_secret
from tests.factories import TrainingJobFactory
from training.models import RunAttempt, TrainingJob
from training.runs.outcomes import end_attempt

sys.path.insert(0, str(Path(__file__).parents[3] / "training" / "trainer"))

from reporting import Console, Reporter
from stopping import Stopped

pytestmark = pytest.mark.django_db(transaction=True)
SECONDS = 20.0


@pytest.fixture
def attempt(owner, dataset):
    job = TrainingJobFactory(user=owner, dataset=dataset, status="running")
    return RunAttempt.objects.create(job=job, number=1, token_hash=hash_secret("token"))


@pytest.fixture
def reporter(attempt, live_server, tmp_path):
    (tmp_path / "base_url").write_text(live_server.url)
    made = Reporter(Console(tmp_path, str(attempt.pk), "token"), tmp_path)
    yield made
    attempt.refresh_from_db()
    if attempt.ended_at is None:
        end_attempt(attempt, "lost")
    made.emit("log", message="the end")
    wait(lambda: made.refused is not None)


def wait(condition) -> None:
    deadline = time.monotonic() + SECONDS
    while not condition():
        assert time.monotonic() < deadline, "it is repeated for ever"
        time.sleep(0.02)


def all_taken(reporter) -> bool:
    return reporter.refused is not None or not reporter._waiting


def test_an_event_that_cannot_be_taken_is_left_out_and_said(reporter, attempt):
    for step in (1, 2**31, 2, 3):
        reporter.emit("metrics", step=step, loss=1.0 / step)
    wait(lambda: all_taken(reporter))
    assert reporter.refused is None
    assert list(attempt.job.metrics.values_list("step", flat=True)) == [1, 2, 3]
    line = attempt.job.events.get()
    assert line.level == "warning"
    assert "cannot take event 2 (metrics), which is left out" in line.message


def test_a_failure_that_cannot_be_taken_still_ends_the_run(reporter, attempt):
    reporter.emit("failed", kind="k" * 31, message="m")
    wait(lambda: all_taken(reporter))
    attempt.refresh_from_db()
    assert attempt.outcome == "failed"
    assert "event 1 (failed)" in attempt.error_message


def test_odd_texts_and_numbers_of_the_trainers_own_are_made_sayable(reporter, attempt):
    reporter.log("a\0b \ud800 c")
    reporter.emit("metrics", step=1, loss=float("nan"), grad_norm=float("-inf"))
    wait(lambda: all_taken(reporter))
    said = attempt.job.events.get(level="info").message
    assert said == "a\N{REPLACEMENT CHARACTER}b ? c"
    attempt.job.refresh_from_db()
    words = attempt.job.current_metrics["not_finite"]
    assert words == {"loss": "NaN", "grad_norm": "-Infinity"}


@pytest.mark.parametrize("name", ["dataset/train", "spec"])
def test_a_run_stops_on_request_while_it_asks_for_what_never_comes(
    name, reporter, attempt, monkeypatch, tmp_path
):
    """The console answers 500 for ever; until now only a kill ended that."""
    console = reporter.console
    once = console._once
    monkeypatch.setattr(
        console, "_once",
        lambda method, *rest: (500, b"") if method == "GET" else once(method, *rest),
    )  # fmt: skip
    TrainingJob.objects.update(cancel_requested_at=timezone.now())
    reporter.emit("log", message="a report is answered, and asks to stop")
    with pytest.raises(Stopped):
        console.download(name, tmp_path / "data")
