"""What a finished run leaves behind, without a trainer: facts in, records out."""

from decimal import Decimal
from math import exp, log

import pytest
from django.contrib.auth.models import Permission

from tests.factories import TrainingJobFactory
from tests.training.jobs.test_api import body
from training.domain.estimator.memory import GIB
from training.estimates import calibration
from training.estimates.calibration import MEMORY, TIME
from training.estimates.learning import learn_from_lack_of_memory, learn_from_run
from training.models import (
    CalibrationCell,
    CalibrationRecord,
    CalibrationScore,
    RunAttempt,
    TrainingJob,
)
from training.operators.estimator_page import coverage_of, row_of
from training.runs.forecast import remaining_of

SMOL = "HuggingFaceTB/SmolLM2-135M-Instruct"


@pytest.fixture
def job(api, dataset) -> TrainingJob:
    calibration.forget()
    wanted = body(dataset, preset_id="custom", base_model=SMOL)
    assert api.post("/api/jobs", wanted, format="json").status_code == 201
    return TrainingJob.objects.get()


def attempt_of(job, **measured) -> RunAttempt:
    seconds = job.estimate["time"]["step_seconds"]
    found = {
        "steps": 700,
        "step_seconds_mean": seconds,
        "peak_device_bytes": job.estimate["memory_cell"]["bytes"],
        "parts_seconds": {"start": 6.0, "load_model": 4.0, "training": 700 * seconds},
    }
    return RunAttempt.objects.create(
        job=job,
        number=1,
        token_hash="x",
        running_seconds=job.estimate["seconds"]["expected"],
        facts={"measured": found | measured, "versions": {"torch": "2.13.0"}},
    )


def test_a_run_leaves_one_record_and_moves_its_cells(job):
    said = job.estimate["time"]
    learn_from_run(job, attempt_of(job, step_seconds_mean=2 * said["step_seconds"]))
    record = CalibrationRecord.objects.get()
    assert record.time_residual == pytest.approx(
        log(2 * said["step_seconds"] / said["predicted_step_seconds"])
    )
    assert record.setup["lengths"] == [[400, 1000]]
    assert record.measured["versions"] == {"torch": "2.13.0"}
    cell = CalibrationCell.objects.get(target=TIME)
    assert (cell.key, cell.count) == (said["cell"], 1)
    assert cell.total == pytest.approx(record.time_residual)
    scores = {score.target: score for score in CalibrationScore.objects.all()}
    assert scores[TIME].inside
    assert scores[TIME].score == pytest.approx(log(2) / said["sigma"])
    assert scores[MEMORY].score == pytest.approx(0, abs=1e-9)
    assert row_of(record).step_ratio == pytest.approx(2)


def test_fixed_costs_are_learned_against_where_they_started(job):
    learn_from_run(job, attempt_of(job))
    start = CalibrationCell.objects.get(target="start")
    assert (start.key, start.count) == (["A100-80GB"], 1)
    assert start.total == pytest.approx(log(6.0 / 12.0))
    moved = calibration.current().overheads.start_seconds
    # One run is believed by 0.4^2 / (0.4^2 + 0.3^2) = 0.64 of its logarithm.
    assert moved == pytest.approx(12 * exp(0.64 * log(0.5)))


def test_a_run_without_measures_teaches_nothing_and_fails_nothing(job):
    attempt = attempt_of(job)
    attempt.facts = {}
    learn_from_run(job, attempt)
    attempt.facts = {"measured": {"step_seconds_mean": "nonsense", "steps": 9}}
    learn_from_run(job, attempt)
    assert not CalibrationRecord.objects.exists()
    assert not CalibrationCell.objects.exists()


def test_a_lack_of_memory_counts_as_more_than_there_was(job):
    said = job.estimate["memory_cell"]
    said["available_bytes"] = 1.1 * said["bytes"]
    learn_from_lack_of_memory(job)
    record = CalibrationRecord.objects.get()
    assert record.outcome == "out_of_memory"
    assert record.memory_residual > log(1.1)
    assert CalibrationCell.objects.get().target == MEMORY


def test_a_lack_of_memory_that_was_foretold_teaches_nothing_new(job):
    job.estimate["memory_cell"]["available_bytes"] = 0.5 * GIB
    learn_from_lack_of_memory(job)
    assert CalibrationRecord.objects.get().memory_residual is None
    assert not CalibrationCell.objects.exists()


def test_what_remains_begins_with_the_estimate_and_follows_the_run(job):
    attempt = attempt_of(job)
    job.status, job.usd_per_gpu_hour = "running", Decimal("3.6")
    before = remaining_of(job, attempt)["seconds"]
    step = job.estimate["time"]["step_seconds"]
    attempt.step_seconds, job.current_step = 3 * step, 375
    job.progress = 0.5
    after = remaining_of(job, attempt)
    left = 375 * 3 * step
    assert after["seconds"]["expected"] == pytest.approx(left, rel=0.35)
    widths = [s["high"] / s["low"] for s in (before, after["seconds"])]
    assert widths[1] < widths[0]
    # Two GPUs at 3.60 USD an hour are 0.002 USD a second.
    expected = 0.002 * after["seconds"]["expected"] + 0.5
    assert after["final_cost"]["expected"] == pytest.approx(expected, abs=0.02)


def test_nothing_remains_to_be_said_before_the_first_step(job):
    assert remaining_of(job, attempt_of(job)) is None


def test_an_estimate_with_unknown_model_follows_the_run_alone(db):
    job = TrainingJobFactory(status="running", total_steps=100, current_step=20)
    attempt = RunAttempt(job=job, number=1, step_seconds=2.0)
    assert remaining_of(job, attempt)["seconds"]["expected"] == pytest.approx(160, 0.02)


def test_coverage_is_of_the_last_hundred():
    found = coverage_of(TIME, [False] * 100 + [True] * 80 + [False] * 20)
    assert (found.percent, found.count) == (80, 100)
    assert found.line.startswith("0.0,")


def test_only_staff_with_the_permission_see_the_estimator(client, owner, job):
    client.force_login(owner)
    assert client.get("/admin/estimator").status_code == 403
    owner.is_staff = True
    owner.save()
    assert client.get("/admin/estimator").status_code == 403
    look = Permission.objects.get(codename="view_calibrationrecord")
    owner.user_permissions.add(look)
    empty = client.get("/admin/estimator").content.decode()
    assert "Nothing yet" in empty
    learn_from_run(job, attempt_of(job))
    page = client.get("/admin/estimator").content.decode()
    assert "100 %" in page
    assert "no evidence" in page


def test_the_admin_shows_records_and_changes_none(admin_client, job):
    learn_from_run(job, attempt_of(job))
    record = CalibrationRecord.objects.get()
    address = f"/admin/training/calibrationrecord/{record.pk}/change/"
    assert admin_client.get("/admin/training/calibrationrecord/").status_code == 200
    assert admin_client.get(address).status_code == 200
    assert admin_client.post(address, {}).status_code == 403
