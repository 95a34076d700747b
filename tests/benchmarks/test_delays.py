"""What a user waits for: an estimate, a trainer, the end of Ctrl-C; printed only."""

import statistics
import time

import pytest

from tests.trainer.conftest import Console
from tests.trainer.test_datasets import large, upload

ROUNDS = 3


@pytest.fixture
def console(tmp_path, tiny_model):
    made = Console(tmp_path)
    made.start()
    made.prepare(tiny_model)
    yield made
    made.close()


def test_first_estimate_of_a_file(console):
    content, seconds = large(), []
    for round_ in range(ROUNDS):
        began = time.monotonic()
        assert upload(console, f"{round_}.jsonl", content)["total_tokens"] > 0
        seconds.append(time.monotonic() - began)
    megabytes = len(content) / 1e6
    print(f"\nupload of {megabytes:.0f} MB to its estimate: {median(seconds)}")


def test_start_of_a_trainer_and_stop_of_the_console(console):
    dataset, seconds = console.upload(20), []
    for _ in range(ROUNDS):
        job = console.start_job(dataset, epochs=1)
        began = time.monotonic()
        console.wait((console.var / "runs" / job / "pid").exists, 20)
        seconds.append(time.monotonic() - began)
        console.wait_for_end(job)
        console.wait(lambda: not console.pids("run"), 20)
    print(f"\na job to its trainer's process: {median(seconds)}")
    stops = [console.stop()]
    for _ in range(ROUNDS - 1):
        console.start()
        stops.append(console.stop())
    print(f"Ctrl-C to the end of everything: {median(stops)}")


def median(seconds: list[float]) -> str:
    return f"median {statistics.median(seconds):.2f} s, longest {max(seconds):.2f} s"
