"""Runs that come to nothing, really brought about: said as it is, and never stored."""

import subprocess

import pytest

from tests.trainer.conftest import ROOT, TRAINER_PYTHON, Console, chat

pytestmark = pytest.mark.trainer
SPOIL = str(ROOT / "tests" / "trainer" / "spoiled_model.py")
ADD = """
from training.models import BaseModel
BaseModel.objects.create(id="tests/{how}", name="x", source="folder", path={path!r})
"""
ADAPTERS = "from training.models import Adapter; print(Adapter.objects.count())"
ROWS = 67
STEPS_AN_EPOCH = 15


@pytest.fixture(scope="module")
def console(tmp_path_factory, tiny_model):
    made = Console(tmp_path_factory.mktemp("unsound"), CHECKPOINT_EVERY_STEPS="1")
    made.start()
    made.prepare(tiny_model)
    for how in ("poisoned", "flat"):
        path = str(tiny_model.parent / how)
        subprocess.run([TRAINER_PYTHON, "-I", SPOIL, tiny_model, path, how], check=True)
        made.shell(ADD.format(how=how, path=path))
    yield made
    made.close()


@pytest.fixture(scope="module")
def diverged(console):
    """One row of the data holds the character that makes the loss NaN."""
    rows = [{"messages": chat(n)} for n in range(ROWS)]
    rows[20]["messages"][1]["content"] = "the answer ~ of the lamp"
    dataset = console.upload_rows(rows)
    job = console.start_job(dataset, base_model="tests/poisoned")
    return console.wait_for_end(job)


def test_a_run_of_nan_fails_after_three_steps_with_what_to_change(console, diverged):
    assert (diverged["status"], diverged["failure_kind"]) == ("failed", "diverged")
    first = console.result(diverged["id"])["points"]
    good = sum(loss is not None and loss == loss for _, loss, _ in first)
    assert 0 < good < STEPS_AN_EPOCH
    assert diverged["current_step"] == good + 3
    words = f"was not a number at steps {good + 1} to {good + 3}"
    assert words in diverged["error_message"]
    assert "Learning rate 0.001, in float32" in diverged["error_message"]
    assert diverged["suggestion"]["changes"] == {"learning_rate": 0.0001}
    assert diverged["retry_count"] == 0
    assert console.shell(ADAPTERS) == "0"


def test_a_loss_of_nan_is_shown_as_none(console, diverged):
    assert diverged["current_metrics"]["loss"] is None
    assert diverged["current_metrics"]["not_finite"]["loss"] == "NaN"
    assert "The loss is NaN or infinite at step" in diverged["loss_warning"]
    rows = console.api(f"/jobs/{diverged['id']}/metrics")["metrics"]
    assert [row["not_finite"].get("loss") for row in rows[-3:]] == ["NaN"] * 3


@pytest.mark.long
def test_the_last_sound_checkpoint_is_kept_and_can_be_continued(console, diverged):
    path = f"/jobs/{diverged['id']}/checkpoints"
    kept = [c["step"] for c in console.api(path)["checkpoints"]]
    sound = diverged["current_step"] - 3
    assert kept[0] == sound
    assert f"last sound checkpoint is of step {sound}" in diverged["error_message"]
    folder = console.var / "runs" / diverged["id"] / "checkpoints"
    found = {p.name for p in folder.glob("checkpoint-*")}
    assert found == {f"checkpoint-{n}" for n in kept}
    new = console.act(diverged["id"], "continue", step=sound)
    ended = console.wait_for_end(new["id"])
    assert console.result(new["id"])["attempts"] == [[1, "failed", sound]]
    assert (ended["failure_kind"], ended["current_step"]) == ("diverged", sound + 3)


def test_a_run_without_any_gradient_fails_and_says_that_nothing_was_learned(console):
    dataset = console.upload(ROWS)
    job = console.start_job(dataset, base_model="tests/flat")
    ended = console.wait_for_end(job)
    assert (ended["status"], ended["failure_kind"]) == ("failed", "nothing_learned")
    assert ended["current_step"] == 10
    assert "No weight moved by step 10" in ended["error_message"]
    assert "its answer does not depend on the question" in ended["suggestion"]["words"]
    assert not (console.var / "runs" / job / "adapter.zip").exists()


@pytest.mark.long
def test_a_short_run_without_any_gradient_is_noticed_at_its_end(console):
    dataset = console.upload(20)
    job = console.start_job(dataset, base_model="tests/flat", epochs=1)
    ended = console.wait_for_end(job)
    assert (ended["status"], ended["failure_kind"]) == ("failed", "nothing_learned")
    assert ended["current_step"] == ended["total_steps"] < 10


@pytest.mark.long
def test_a_run_of_a_single_step_learns_something(console):
    dataset = console.upload(20)
    values = {"batch_size": 64}
    job = console.start_job(dataset, epochs=1, hyperparameters=values)
    ended = console.wait_for_end(job)
    assert (ended["status"], ended["total_steps"]) == ("completed", 1)
