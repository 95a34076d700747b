"""Faults of the user's making, each really brought about: recognised, not retried."""

import json
import os
import subprocess
from urllib.error import HTTPError

import pytest

from tests.trainer.conftest import TRAINER_PYTHON, Console

pytestmark = pytest.mark.trainer
ADD_MODEL = """
from training.models import BaseModel
BaseModel.objects.create(id="tests/gone", name="gone", source="folder", path="/nowhere")
"""
ADDRESS_SPACE_KB = 6_000_000


@pytest.fixture(scope="module")
def console(tmp_path_factory, tiny_model):
    """A console whose trainers may not take more than 6 GB of address space."""
    var = tmp_path_factory.mktemp("faults")
    python = var / "python"
    python.write_text(
        f'#!/bin/sh\nulimit -v {ADDRESS_SPACE_KB}\nexec "{TRAINER_PYTHON}" "$@"\n'
    )
    python.chmod(0o755)
    made = Console(var, TRAINER_PYTHON=str(python), CPU_SLOTS="2")
    made.start()
    made.prepare(tiny_model)
    made.shell(ADD_MODEL)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def dataset(console):
    return console.upload(67)


def failed(console, job) -> dict:
    ended = console.wait_for_end(job)
    assert ended["status"] == "failed"
    told = console.result(job)
    assert len(told["attempts"]) == 1, "it was tried again"
    assert ended["retry_count"] == 0
    return ended


def test_data_without_an_answer_to_learn_is_refused_with_the_change(console, dataset):
    with pytest.raises(HTTPError) as refused:
        console.start_job(dataset, hyperparameters={"max_length": 16})
    assert refused.value.code == 400
    assert "Raise max_length" in json.loads(refused.value.read())["error"]


@pytest.mark.long
def test_a_base_model_that_is_gone_is_said_with_another(console, dataset):
    job = console.start_job(dataset, base_model="tests/gone")
    ended = failed(console, job)
    assert ended["failure_kind"] == "model_not_found"
    assert "could not be loaded from /nowhere" in ended["error_message"]
    default = ended["suggestion"]["changes"]["base_model"]
    assert default == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert "ModelNotFound" in ended["error_stack"]


@pytest.mark.long
def test_a_run_out_of_memory_is_said_with_a_smaller_batch(console):
    words = "the answer of the lamp " * 12_000
    rows = [
        {
            "messages": [
                {"role": "user", "content": f"question {n}"},
                {"role": "assistant", "content": words},
            ]
        }
        for n in range(20)
    ]
    dataset = console.upload_rows(rows)
    values = {"max_length": 131_072, "batch_size": 8}
    job = console.start_job(dataset, hyperparameters=values)
    ended = failed(console, job)
    assert ended["failure_kind"] == "out_of_memory"
    assert ended["suggestion"]["changes"] == {"micro_batch": 4}
    assert "ran out of memory" in ended["error_message"]


@pytest.fixture
def small_disk(console):
    """Puts a tmpfs of so many kB in the place of a job's run folder."""
    mounted = []

    def mount(job: str, size_kb: int) -> None:
        folder = console.var / "runs" / job
        folder.mkdir(parents=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={size_kb}k", "tmpfs", folder]
        if os.getuid() or subprocess.run(command).returncode:
            pytest.skip("mounting a tmpfs needs root")
        mounted.append(folder)

    yield mount
    for folder in mounted:
        subprocess.run(["umount", "-l", folder], check=True)


@pytest.mark.parametrize(
    "size_kb",
    [
        pytest.param(8, id="at once"),
        pytest.param(160, id="at a checkpoint", marks=pytest.mark.long),
    ],
)
def test_a_full_disk_is_said_and_continues_once_there_is_room(
    console, dataset, small_disk, size_kb
):
    job = console.start_job(dataset, gpu_config={"type": "H100", "count": 1})
    small_disk(job, size_kb)
    if size_kb < 10:
        (console.var / "runs" / job / "filler").write_bytes(b"x" * 8192)
    console.act(job, "move", gpu_config={"type": "CPU", "count": 1})
    ended = failed(console, job)
    assert ended["failure_kind"] == "disk_full", json.dumps(ended, indent=1)
    assert "Free space" in ended["suggestion"]["words"]
    if size_kb > 10:
        again = console.act(job, "retry")["id"]
        assert console.wait_for_end(again)["status"] == "completed"
