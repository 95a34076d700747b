"""The trainer against a bare TRL script: what reporting and recovery cost in speed."""

import json
import os
import statistics
import subprocess
from pathlib import Path

import pytest

from tests.trainer.conftest import ROOT, TRAINER_PYTHON, Console
from training.launchers.program import KEEP_MEMORY, SPIN_COUNT

PAIRS, ROWS, EPOCHS, BATCH = int(os.environ.get("SPEED_PAIRS", "5")), 150, 2, 4
FIRST_STEP, WIDTH, LAYERS, THREADS = 10, 384, 6, "1"
SEEN = """
import json
from training.models import TrainingJob
job = TrainingJob.objects.get(pk={job!r})
print(json.dumps([
    [step, at.timestamp(), tokens]
    for step, at, tokens in job.metrics.values_list("step", "at", "tokens_seen")
]))
"""


@pytest.fixture
def console(tmp_path):
    model = tmp_path / "model"
    script = str(ROOT / "tests" / "trainer" / "tiny_model.py")
    command = [TRAINER_PYTHON, "-I", script, model, str(WIDTH), str(LAYERS)]
    subprocess.run(command, check=True, capture_output=True)
    made = Console(tmp_path, CHECKPOINT_EVERY_STEPS="1000", TRAINER_THREADS=THREADS)
    made.start()
    made.prepare(model)
    yield made
    made.stop()


def ours(console, dataset: str) -> tuple[float, Path]:
    """Tokens a second of a job, and its run folder."""
    job = console.start_job(dataset, epochs=EPOCHS)
    ended = console.wait_for_end(job, 300)
    assert ended["status"] == "completed", ended["error_message"]
    seen = json.loads(console.shell(SEEN.format(job=job)))
    by_step = {step: (at, tokens) for step, at, tokens in seen}
    began, before = by_step[FIRST_STEP]
    until, after = by_step[max(by_step)]
    return (after - before) / (until - began), console.var / "runs" / job


def bare(console, run_dir: Path) -> float:
    """Tokens a second of plain TRL, in the environment that trainers get."""
    script = str(ROOT / "tests" / "benchmarks" / "bare_trl.py")
    arguments = [console.var / "model", run_dir, console.var / "bare", BATCH, EPOCHS]
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": os.environ.get("HOME", "/"),
        "OMP_NUM_THREADS": THREADS,
        "OMP_WAIT_POLICY": "PASSIVE",
        "GOMP_SPINCOUNT": SPIN_COUNT,
        "MALLOC_MMAP_THRESHOLD_": KEEP_MEMORY,
        "MALLOC_TRIM_THRESHOLD_": KEEP_MEMORY,
        "CUDA_VISIBLE_DEVICES": "",
    }
    done = subprocess.run(
        [TRAINER_PYTHON, "-I", script, *map(str, arguments)],
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return float(done.stdout.rpartition("TOKENS_PER_SECOND")[2])


def test_the_trainer_is_as_fast_as_bare_trl(console):
    dataset = console.upload(ROWS)
    _, run_dir = ours(console, dataset)
    pairs = [(ours(console, dataset)[0], bare(console, run_dir)) for _ in range(PAIRS)]
    own, plain = ([pair[n] for pair in pairs] for n in (0, 1))
    ratio = statistics.median(own) / statistics.median(plain)
    print(
        f"\ntrainer against bare TRL, {PAIRS} interleaved pairs, {THREADS} thread: "
        f"{statistics.median(own):.0f} against {statistics.median(plain):.0f} tokens/s "
        f"in the median, ratio {ratio:.3f}; bare alone {min(plain):.0f} to "
        f"{max(plain):.0f}; load {os.getloadavg()[0]:.1f}"
    )
    assert ratio >= 0.98 or min(plain) <= statistics.median(own)
