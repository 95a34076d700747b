"""How well this machine's own runs are predicted after a probe and one finished run.

The predictions are made before any of the judged runs begins: all jobs are queued at
once, and an estimate is frozen with its job. The first run is repeated at the end, to
tell what the machine itself does not repeat.
"""

import json
import os
import random
import subprocess
import sys

import pytest

from tests.trainer.conftest import MANAGE, Console

MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
ROWS, EPOCHS = 40, 2
FIRST = {"max_length": 128, "rank": 8, "batch_size": 2}
OTHERS = (
    {"max_length": 64, "rank": 16, "batch_size": 1},
    {"max_length": 128, "rank": 4, "batch_size": 4},
    {"max_length": 96, "rank": 32, "batch_size": 2},
)
OWNER = """
from lora_pipeline.models import User
from lora_pipeline.accounts.services import create_api_key
owner = User.objects.create_user("owner", password="correct horse battery")
print(create_api_key(owner=owner, name="bench")[1])
"""
FOUND = """
import json
from training.estimates.learning import peak_bytes
from training.models import TrainingJob
job = TrainingJob.objects.get(pk={job!r})
attempt = job.attempts.get()
print(json.dumps({{
    "seconds": attempt.running_seconds,
    "bytes": peak_bytes(attempt.facts["measured"]),
    "step": attempt.facts["measured"]["step_seconds_mean"],
    "parts": attempt.facts["measured"]["parts_seconds"],
    "said": job.estimate,
}}))
"""


@pytest.fixture
def console(tmp_path):
    threads = str(os.cpu_count() or 1)
    made = Console(tmp_path, TRAINER_THREADS=threads, CHECKPOINT_EVERY_STEPS="1000")
    for command in (["migrate", "-v", "0"], ["fetch_demo_model"]):
        run = [sys.executable, MANAGE, *command]
        subprocess.run(run, env=made.environment, check=True)
    yield made
    made.stop()


def rows() -> list[dict]:
    """Chats of one to eight sentences, as unlike in length as real ones."""
    draws = random.Random(11)
    sentence = "The lamp on shelf {} is lit when the ferry to island {} is late. "
    found = []
    for n in range(ROWS):
        words = "".join(
            sentence.format(draws.randint(1, 99), n) for _ in range(draws.randint(1, 8))
        )
        turns = [("user", f"What of lamp {n}?"), ("assistant", words)]
        found.append({"messages": [{"role": r, "content": c} for r, c in turns]})
    return found


def start(console, dataset: str, settings: dict[str, int]) -> str:
    return console.start_job(
        dataset,
        base_model=MODEL,
        hyperparameters={"learning_rate": 0.0002, "epochs": EPOCHS} | settings,
    )


def finished(console, job: str) -> dict:
    ended = console.wait_for_end(job, 1200, pause=2)  # as seldom as a page asks
    assert ended["status"] == "completed", ended["error_message"]
    return json.loads(console.shell(FOUND.format(job=job)))


def memory_range(said: dict) -> tuple[float, float, float]:
    """Bytes: low, expected, high, as the 80 % range of a normal logarithm."""
    cell = said["memory_cell"]
    width = 1 + 1.28 * cell["sigma"]
    return cell["bytes"] / width, cell["bytes"], cell["bytes"] * width


def test_three_runs_after_a_probe_and_one_run(console):
    probing = [sys.executable, MANAGE, "probe", "--seconds", "300"]
    subprocess.run(probing, env=console.environment, check=True)
    console.start()
    console.key = console.shell(OWNER)
    dataset = console.upload_rows(rows())
    first = finished(console, start(console, dataset, FIRST))
    jobs = [start(console, dataset, settings) for settings in (*OTHERS, FIRST)]
    *others, again = [finished(console, job) for job in jobs]

    print(f"\nload {os.getloadavg()[0]:.1f}; the first run and its repetition:")
    spread = {}
    for what, unit, scale in (("seconds", "s", 1.0), ("bytes", "GiB", 2**30)):
        one, two = first[what] / scale, again[what] / scale
        spread[what] = max(one, two) / min(one, two) - 1
        print(f"  {one:.2f} and {two:.2f} {unit}, {100 * spread[what]:.1f} % apart")
    inside, near, widths = 0, 0, []
    for settings, found in zip(OTHERS, others, strict=True):
        print(", ".join(f"{name} {value}" for name, value in settings.items()))
        said = found["said"]["seconds"]
        time = (said["low"], said["expected"], said["high"])
        ranges = {"seconds": time, "bytes": memory_range(found["said"])}
        for what, (low, expected, high) in ranges.items():
            scale = 1.0 if what == "seconds" else 2**30
            error = found[what] / expected - 1
            inside += low <= found[what] <= high
            near += abs(error) <= max(0.10, 2 * spread[what])
            widths.append(high / expected - 1)
            print(
                f"  {what}: said {expected / scale:.2f} ({low / scale:.2f} to "
                f"{high / scale:.2f}), taken {found[what] / scale:.2f}: "
                f"{100 * error:+.1f} %"
            )
        print(f"  parts: {found['parts']}, said {found['said']['time']}")
    print(
        f"{near} of 6 within 10 % or twice the spread, {inside} of 6 in their range; "
        f"half-width {100 * sorted(widths)[len(widths) // 2]:.0f} % in the median"
    )
    assert near == 6
    assert inside >= 4
