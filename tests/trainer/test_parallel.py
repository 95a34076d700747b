"""One run in two processes under torchrun, on the processor by gloo."""

import json
import os
import signal

import pytest

from tests.trainer.conftest import Console

pytestmark = pytest.mark.trainer
GPU = "A100-80GB"
OFFER = f"""
from django.utils import timezone
from training.models import GpuOffer
GpuOffer.objects.create(backend="local", gpu_type_id={GPU!r}, count=3,
                        devices=["5", "6", "7"], seen_at=timezone.now())
"""
CLAIMS = """
from training.models import DeviceClaim
print(DeviceClaim.objects.count())
"""
ATTEMPTS = """
import json
from training.models import RunAttempt
print(json.dumps([
    [a.process_count, a.devices] for a in RunAttempt.objects.filter(job_id={job!r})
]))
"""
ROWS, EPOCHS = 68, 2  # 61 rows train, which neither batch nor processes divide


@pytest.fixture(scope="module")
def console(tmp_path_factory, tiny_model):
    made = Console(tmp_path_factory.mktemp("pair"), CHECKPOINT_EVERY_STEPS="10")
    made.start()
    made.prepare(tiny_model)
    made.shell(OFFER)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def alone(console):
    dataset = console.upload(ROWS)
    job = console.start_job(dataset, epochs=EPOCHS, hyperparameters={"dropout": 0})
    ended = console.wait_for_end(job)
    assert ended["status"] == "completed", ended["error_message"]
    return ended | console.result(job) | {"dataset_id": dataset}


def start(console, alone, count):
    return console.start_job(
        alone["dataset_id"],
        epochs=EPOCHS,
        gpu_config={"type": GPU, "count": count},
        hyperparameters={"dropout": 0},
    )


@pytest.mark.long
def test_two_processes_train_what_one_does(console, alone):
    # Three GPUs cannot share a batch of four: two processes run, three are held.
    job = start(console, alone, 3)
    ended = console.wait_for_end(job) | console.result(job)
    assert ended["status"] == "completed", ended["error_message"]
    facts = ended["facts"][0]
    assert facts["world_size"] == 2
    hashes = facts["adapter_hashes"]
    assert len(hashes) == 2
    assert hashes[0] == hashes[1]
    assert json.loads(console.shell(ATTEMPTS.format(job=job))) == [[2, ["5", "6", "7"]]]
    assert [p[0] for p in ended["points"]] == list(range(1, 33))
    assert [p[2] for p in ended["points"]] == [p[2] for p in alone["points"]]
    for pair, single in zip(ended["points"], alone["points"], strict=True):
        assert pair[1] == pytest.approx(single[1], rel=1e-5)
    for pair, single in zip(ended["evaluations"], alone["evaluations"], strict=True):
        assert pair == pytest.approx(single, rel=1e-5)


@pytest.mark.long
@pytest.mark.parametrize("victim", ["torchrun", "rank"])
def test_a_killed_pair_resumes_and_leaves_no_process(console, alone, victim):
    job = start(console, alone, 2)
    console.wait_for_step(job, 12)
    name = "group" if victim == "torchrun" else "pid"
    os.kill(int((console.var / "runs" / job / name).read_text()), signal.SIGKILL)
    ended = console.wait_for_end(job) | console.result(job)
    assert ended["status"] == "completed"
    assert [a[1] for a in ended["attempts"]][-1] == "completed"
    assert len(ended["attempts"]) == 2
    assert [p[0] for p in ended["points"]] == [p[0] for p in alone["points"]]
    console.wait(lambda: not console.pids("--run-dir"), 10)
    console.wait(lambda: console.shell(CLAIMS) == "0", 10)


@pytest.mark.long
def test_a_pair_pauses_together(console, alone):
    job = start(console, alone, 2)
    console.wait_for_step(job, 3)
    console.act(job, "pause")
    paused = console.wait_for_status(job, "paused", 30)
    assert 3 <= paused["current_step"] < paused["total_steps"]
    console.act(job, "cancel")
