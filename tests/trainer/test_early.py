"""Evaluation every few steps, early stopping, and the best adapter delivered."""

import importlib.util
import json
import math
import subprocess

import pytest

from tests.trainer.conftest import ROOT, TRAINER_PYTHON

TRAINER = ROOT / "training" / "trainer"
SCRIPT = str(ROOT / "tests" / "trainer" / "early.py")
EVERY, PATIENCE = 4, 3


def module():
    spec = importlib.util.spec_from_file_location("best", TRAINER / "best.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


@pytest.mark.parametrize(
    ("losses", "smallest_gain", "best", "waited"),
    [
        ([], 0, None, 0),
        ([3.0], 0, 1, 0),
        ([3.0, 2.0, 2.0], 0, 2, 1),
        ([3.0, 2.0, 1.9, 1.8], 0.15, 4, 2),
        ([3.0, 2.0, 2.5, 2.4, 1.0], 0.5, 5, 0),
        ([math.nan, 3.0, math.nan], 0, 2, 1),
    ],
)
def test_the_best_and_the_evaluations_without_gain(losses, smallest_gain, best, waited):
    found = list(enumerate(losses, 1))
    assert module().best_step(found) == best
    assert module().without_gain(found, smallest_gain) == waited


@pytest.fixture(scope="module")
def found(tiny_model, tmp_path_factory):
    done = subprocess.run(
        [TRAINER_PYTHON, "-I", SCRIPT, TRAINER, tiny_model,
         tmp_path_factory.mktemp("early")],
        capture_output=True, text=True, env={"OMP_NUM_THREADS": "1", "HOME": "/tmp"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    [line] = [x for x in done.stdout.splitlines() if x.startswith("FOUND ")]
    return json.loads(line[6:])


@pytest.mark.trainer
def test_a_run_that_overfits_ends_early_and_delivers_its_best(found):
    run = found["whole"]
    losses = dict(run["evaluations"])
    assert list(losses) == list(range(EVERY, run["last_step"] + 1, EVERY))
    assert run["last_step"] < run["total_steps"]
    assert run["delivered"] == min(losses, key=losses.get)
    assert run["delivered"] == run["last_step"] - PATIENCE * EVERY
    assert run["loss"] == pytest.approx(losses[run["delivered"]], rel=1e-4)
    assert f"| adapter of step | {run['delivered']}, validation loss" in run["card"]
    assert any(f"ended early at step {run['last_step']}" in x for x in run["said"])


@pytest.mark.trainer
def test_the_best_checkpoint_is_kept_beside_the_newest_two(found):
    run = found["whole"]
    assert run["delivered"] in run["kept"]
    assert len(run["kept"]) == 3


@pytest.mark.trainer
def test_a_killed_run_ends_at_the_same_step_with_the_same_adapter(found):
    whole, resumed = found["whole"], found["resumed"]
    assert resumed["last_step"] == whole["last_step"]
    assert resumed["delivered"] == whole["delivered"]
    assert resumed["sha256"] == whole["sha256"]


@pytest.mark.trainer
def test_a_run_resumed_where_its_patience_was_used_up_trains_no_step(found):
    whole, again = found["whole"], found["again"]
    assert again["last_step"] == 0
    assert again["delivered"] == whole["delivered"]
    assert again["sha256"] == whole["sha256"]


@pytest.mark.trainer
def test_without_patience_all_steps_run_and_the_best_is_delivered(found):
    run = found["patient"]
    assert run["last_step"] == run["total_steps"] == 12
    losses = dict(run["evaluations"])
    assert run["delivered"] == min(losses, key=losses.get)
    assert run["loss"] == pytest.approx(losses[run["delivered"]], rel=1e-4)
