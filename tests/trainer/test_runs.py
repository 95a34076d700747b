"""Real runs of a tiny model under a real console, with processes killed on the way."""

import os
import signal

import pytest

pytestmark = pytest.mark.trainer
ROWS, EPOCHS = 67, 8
STEPS = 61 // 4 * EPOCHS + EPOCHS  # 60 of 67 rows train: 15 steps an epoch


@pytest.fixture(scope="module")
def dataset(console):
    return console.upload(ROWS)


@pytest.fixture(scope="module")
def undisturbed(console, dataset):
    job = console.start_job(dataset, epochs=EPOCHS)
    ended = console.wait_for_end(job)
    assert ended["status"] == "completed", ended["error_message"]
    return ended | console.result(job)


def test_a_run_reports_every_step_and_learns(undisturbed):
    points = undisturbed["points"]
    assert [p[0] for p in points] == list(range(1, undisturbed["total_steps"] + 1))
    assert points[-1][1] < points[0][1] - 0.5
    assert undisturbed["current_metrics"]["validation_loss"] is not None
    assert undisturbed["progress"] == 1


def test_a_killed_trainer_resumes_with_the_same_losses(console, dataset, undisturbed):
    job = console.start_job(dataset, epochs=EPOCHS)
    console.wait_for_step(job, 45)
    os.kill(console.trainer_pid(job), signal.SIGKILL)
    ended = console.wait_for_end(job) | console.result(job)
    assert ended["status"] == "completed"
    assert ended["points"] == undisturbed["points"]
    assert ended["evaluations"] == undisturbed["evaluations"]
    assert ended["adapter"] == undisturbed["adapter"]
    assert [a[1] for a in ended["attempts"]] == ["lost", "completed"]
    assert ended["attempts"][1][2] in range(20, 121, 20)


@pytest.mark.long
def test_a_run_goes_on_while_everything_else_is_killed(console, dataset, undisturbed):
    job = console.start_job(dataset, epochs=EPOCHS)
    for step, command in ((10, "reconcile"), (30, "web"), (50, "work")):
        console.wait_for_step(job, step)
        pids = console.pids(command)
        assert pids
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
    ended = console.wait_for_end(job) | console.result(job)
    assert ended["status"] == "completed"
    assert ended["points"] == undisturbed["points"]
    assert len(ended["attempts"]) == 1


@pytest.mark.long
def test_cancelling_a_run_keeps_its_checkpoint(console, dataset):
    job = console.start_job(dataset, epochs=20)
    console.wait_for_step(job, 5)
    console.api(f"/jobs/{job}/cancel", {})
    ended = console.wait_for_end(job)
    assert ended["status"] == "cancelled"
    assert 5 <= ended["current_step"] < ended["total_steps"]
    assert list((console.var / "runs" / job / "checkpoints").glob("checkpoint-*"))


@pytest.mark.long
def test_paused_cancelled_and_continued_it_learns_the_same(
    console, dataset, undisturbed
):
    job = console.start_job(dataset, epochs=EPOCHS)
    console.wait_for_step(job, 25)
    console.act(job, "pause")
    paused = console.wait_for_status(job, "paused")
    assert paused["current_step"] < STEPS
    console.act(job, "resume")
    console.wait_for_step(job, paused["current_step"] + 20)
    console.act(job, "cancel")
    console.wait_for_end(job)
    new = console.act(job, "continue")["id"]
    ended = console.wait_for_end(new) | console.result(new)
    assert ended["status"] == "completed"
    assert ended["points"] == undisturbed["points"]
    assert ended["evaluations"] == undisturbed["evaluations"]
    assert ended["adapter"] == undisturbed["adapter"]


@pytest.mark.long
def test_the_killed_parent_leaves_only_the_run(console, dataset, undisturbed):
    job = console.start_job(dataset, epochs=EPOCHS)
    console.wait_for_step(job, 10)
    console.process.kill()
    console.wait(lambda: not console.pids("web") + console.pids("work"), 10)
    assert not console.pids("reconcile")
    console.start()
    ended = console.wait_for_end(job) | console.result(job)
    assert (ended["status"], len(ended["attempts"])) == ("completed", 1)
    assert ended["points"] == undisturbed["points"]


def test_ctrl_c_stops_everything(console, undisturbed):
    console.stop()
    try:
        assert console.process.returncode == 0
        for command in ("web", "work", "reconcile"):
            assert not console.pids(command)
    finally:
        console.start()
