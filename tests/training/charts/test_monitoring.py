"""Charts with switches, exports, the log's search, warnings: owner and stranger."""

import csv
import io
import json
import re

import pytest
from django.test import Client
from django.utils import timezone

from lora_pipeline.tokens import hash_secret
from tests.factories import TrainingJobFactory
from tests.openapi import conforms
from tests.training.runs.test_run_api import metrics, post, trainer
from training.models import JobEvent, MetricPoint, RunAttempt

__all__ = ["trainer"]


@pytest.fixture
def attempt(owner, dataset):
    job = TrainingJobFactory(user=owner, dataset=dataset, status="running")
    return RunAttempt.objects.create(job=job, number=1, token_hash=hash_secret("token"))


@pytest.fixture
def job(attempt):
    """A job of 600 steps whose best evaluation is the second of three."""
    MetricPoint.objects.bulk_create(
        MetricPoint(
            job=attempt.job, attempt=attempt, step=n, epoch=n / 200, at=timezone.now(),
            loss=100.0 if n == 333 else 2.0 / n, learning_rate=1e-4, grad_norm=0.5,
            validation_loss={200: 0.9, 400: 0.5, 600: 0.7}.get(n),
            tokens_per_second=100.0, gpu_memory_bytes=8 * 10**9,
        )
        for n in range(1, 601)
    )  # fmt: skip
    return attempt.job


def page(browser, job, query=""):
    return browser.get(f"{job.get_absolute_url()}{query}").content.decode()


def test_the_best_evaluation_is_marked_and_a_peak_is_drawn(job, browser_of_owner):
    text = page(browser_of_owner, job)
    assert text.count('class="validation best"') == 1
    assert "0.500 at step 400, best" in text
    assert "best 0.500, at step 400" in text
    train = re.search(r'<polyline class="train" points="([^"]+)"', text)[1]
    heights = [float(point.partition(",")[2]) for point in train.split()]
    assert len(heights) <= 500
    assert min(heights) < 25
    for title in ("Learning rate", "Gradient norm", "Tokens/s", "GPU memory, GB"):
        assert f"<figcaption>{title}</figcaption>" in text
    assert "<figcaption>GPU use, %" not in text


def test_switches_work_by_links_and_are_kept_by_the_refresh(job, browser_of_owner):
    plain = page(browser_of_owner, job)
    assert 'href="?log=1"' in plain
    assert 'class="train faint"' not in plain
    both = page(browser_of_owner, job, "?log=1&smooth=1&search=abc")
    assert 'class="train faint"' in both
    assert "log=1&amp;smooth=1&amp;search=abc&amp;status=running" in both
    assert plain.count("<polyline") + 1 == both.count("<polyline")


def test_a_log_scale_leaves_out_what_it_cannot_show(attempt, browser_of_owner):
    for step, loss in ((1, 0.0), (2, 1.0)):
        MetricPoint.objects.create(
            job=attempt.job, attempt=attempt, step=step, epoch=0, loss=loss,
            at=timezone.now(),
        )  # fmt: skip
    assert "<polyline" in page(browser_of_owner, attempt.job, "?log=1")


def test_every_step_is_exported_as_csv_and_json(job, browser_of_owner):
    answer = browser_of_owner.get(f"{job.get_absolute_url()}/metrics.csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert len(rows) == 600
    assert (rows[332]["step"], rows[332]["loss"]) == ("333", "100.0")
    answer = browser_of_owner.get(f"{job.get_absolute_url()}/metrics.json")
    found = json.loads(answer.content)["metrics"]
    assert len(found) == 600
    assert found[399]["validation_loss"] == 0.5


def test_the_api_answers_all_or_thinned(job, api):
    path, described = f"/api/jobs/{job.pk}/metrics", "/api/jobs/{job_id}/metrics"
    whole = conforms(api.get(path), "GET", described)["data"]
    assert (len(whole["metrics"]), whole["total"]) == (600, 600)
    thin = conforms(api.get(f"{path}?points=50"), "GET", described)["data"]
    assert len(thin["metrics"]) <= 50
    assert 333 in [row["step"] for row in thin["metrics"]]
    for wrong in ("4", "100001", "x", "-1", ""):
        refused = api.get(f"{path}?points={wrong}")
        assert refused.status_code == 400
        conforms(refused, "GET", described)


def test_the_log_is_searched_and_downloaded(job, browser_of_owner):
    for words in ("checkpoint saved at step 20", "hello <b>", "100 % done"):
        JobEvent.objects.create(job=job, at=timezone.now(), kind="log", message=words)
    text = page(browser_of_owner, job, "?search=CHECKPOINT")
    assert "checkpoint saved at step 20" in text
    assert "hello" not in text
    assert "No lines contain" in page(browser_of_owner, job, "?search=nowhere")
    assert "100 % done" in page(browser_of_owner, job, "?search=0+%25")
    answer = browser_of_owner.get(f"{job.get_absolute_url()}/log.txt")
    assert answer.headers["Content-Type"].startswith("text/plain")
    lines = answer.content.decode().splitlines()
    assert len(lines) == 3
    assert lines[1].endswith(" info hello <b>")


def test_a_loss_that_is_no_number_is_said_once(trainer, attempt, browser_of_owner):
    post(trainer, attempt, (1, metrics(1)), (2, metrics(2, loss=None)))
    post(trainer, attempt, (3, metrics(3, loss=None)))
    attempt.job.refresh_from_db()
    assert "NaN or infinite at step 2" in attempt.job.loss_warning
    said = attempt.job.events.filter(
        level="warning", message__contains="NaN or infinite"
    )
    assert said.count() == 1
    assert "NaN or infinite at step 2" in page(browser_of_owner, attempt.job)


def test_an_exploding_loss_is_said(trainer, attempt):
    calm = [(n, metrics(n, loss=2.0)) for n in range(1, 21)]
    wild = [(n, metrics(n, loss=9.0)) for n in range(21, 31)]
    post(trainer, attempt, *calm)
    attempt.job.refresh_from_db()
    assert attempt.job.loss_warning == ""
    post(trainer, attempt, *wild)
    attempt.job.refresh_from_db()
    assert "exploded" in attempt.job.loss_warning


def test_gpu_use_and_memory_are_kept(trainer, attempt):
    post(trainer, attempt, (1, metrics(1) | {"gpu_use": 93.0, "gpu_memory_bytes": 8}))
    assert attempt.job.metrics.values_list("gpu_use", "gpu_memory_bytes")[0] == (93, 8)


def test_a_stranger_finds_nothing(job, stranger, stranger_api):
    client = Client()
    client.force_login(stranger)
    for name in ("metrics.csv", "metrics.json", "log.txt"):
        assert client.get(f"{job.get_absolute_url()}/{name}").status_code == 404
    assert stranger_api.get(f"/api/jobs/{job.pk}/metrics").status_code == 404
