"""Datasets in a running console: a killed worker, a broken upload, a real file."""

import json
import os
import signal
import socket
from pathlib import Path

import pytest

from tests.datasets.checking.test_real_files import FOLDER
from tests.trainer.conftest import MODEL, Console

pytestmark = pytest.mark.trainer
ROWS = 60_000


def multipart(name: str, content: bytes) -> bytes:
    head = (
        f'--x\r\nContent-Disposition: form-data; name="file"; filename="{name}"\r\n\r\n'
    )
    return head.encode() + content + b"\r\n--x--\r\n"


def upload(console: Console, name: str, content: bytes) -> dict:
    body = multipart(name, content)
    return console.api("/datasets", body, "multipart/form-data; boundary=x")


def large() -> bytes:
    def row(number: int) -> str:
        turns = [
            {"role": "user", "content": f"question {number} of the lamp " * 8},
            {"role": "assistant", "content": f"the answer {number} " * 8},
        ]
        return json.dumps({"messages": turns})

    return "\n".join(map(row, range(ROWS))).encode()


def test_a_check_whose_worker_is_killed_is_taken_up_again_and_ends_right(console):
    dataset = upload(console, "large.jsonl", large())
    path = f"/datasets/{dataset['id']}"
    console.wait(lambda: console.api(path)["progress"] > 0, 20)
    before = console.api(path)
    assert before["status"] == "validating"
    (worker,) = console.pids("work")
    os.kill(worker, signal.SIGKILL)
    console.wait(lambda: console.api(path)["status"] != "validating", 120)
    found = console.api(path)
    assert found["status"] == "ready"
    pairs = (found["total_training_pairs"], found["total_validation_pairs"])
    assert pairs == (ROWS * 9 // 10, ROWS // 10)
    assert console.pids("work") != [worker]


def test_an_upload_that_breaks_off_leaves_nothing_behind(console):
    before = console.api("/datasets")["pagination"]["total"]
    body = multipart("cut.jsonl", b"x" * 3_000_000)
    head = (
        f"POST /api/datasets HTTP/1.1\r\nHost: 127.0.0.1:{console.port}\r\n"
        f"Authorization: Bearer {console.key}\r\n"
        "Content-Type: multipart/form-data; boundary=x\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    uploads = console.var / "uploads"
    left = set(uploads.iterdir())
    with socket.create_connection(("127.0.0.1", console.port)) as connection:
        connection.sendall(head.encode() + body[: len(body) // 2])
        console.wait(lambda: set(uploads.iterdir()) - left, 20)
    console.wait(lambda: not set(uploads.iterdir()) - left, 20)
    assert console.api("/datasets")["pagination"]["total"] == before


def test_the_upload_is_answered_with_a_first_estimate(console):
    dataset = upload(console, "again.jsonl", large())
    assert dataset["status"] == "validating"
    assert dataset["total_tokens"] > 0
    assert dataset["total_training_pairs"] == pytest.approx(ROWS * 0.9, rel=0.1)


@pytest.mark.long
@pytest.mark.skipif(not FOLDER.is_dir(), reason="no ../shared")
def test_the_real_document_trains_for_as_many_steps_as_the_form_says(console):
    content = (Path(FOLDER) / "three-conversations.json").read_bytes()
    dataset = upload(console, "three-conversations.json", content)
    path = f"/datasets/{dataset['id']}"
    console.wait(lambda: console.api(path)["status"] == "ready", 30)
    hyperparameters = {"learning_rate": 0.001, "batch_size": 2, "epochs": 5,
                       "rank": 4, "max_length": 8192}  # fmt: skip
    body = {
        "dataset_id": dataset["id"],
        "base_model": MODEL,
        "gpu_config": {"type": "CPU", "count": 1},
        "hyperparameters": hyperparameters,
    }
    details = console.api("/jobs/estimate", body)["training_details"]
    assert details["total_steps"] == 20
    job = console.api("/jobs", body | {"preset_id": "custom"})["id"]
    found = console.wait_for_end(job, 480)
    assert (found["status"], found["current_step"]) == ("completed", 20)
    losses = [loss for _, loss, _ in console.result(job)["points"] if loss is not None]
    assert len(losses) == 20
    assert losses[-1] < losses[0]
