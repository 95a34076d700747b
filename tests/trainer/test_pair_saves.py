"""Two processes and an adapter of 20 MB: what one process would have saved, at once.

While it is written and archived for long enough, whoever else touches it is noticed.
"""

import json
import subprocess
import zipfile
from pathlib import Path

import pytest

from tests.trainer.conftest import ROOT, TRAINER_PYTHON, Console
from tests.trainer.test_parallel import GPU, OFFER

pytestmark = [pytest.mark.trainer, pytest.mark.long]
TINY = str(ROOT / "tests" / "trainer" / "tiny_model.py")
WIDTH, LAYERS, RANK = 256, 10, 128
ADAPTER_BYTES = 20_000_000
REPETITIONS = 10
ROWS = 22  # 20 rows train: 5 whole batches of 4
FILES = {
    "README.md",
    "adapter_config.json",
    "adapter_model.safetensors",
    "chat_template.jinja",
    "tokenizer.json",
    "tokenizer_config.json",
}
DIFFERENCE = """
import sys
from safetensors.torch import load_file
one, other = (load_file(path) for path in sys.argv[1:])
assert one.keys() == other.keys()
print(max(float((one[name] - other[name]).abs().max()) for name in one))
"""
ARCHIVE = """
from training.models import TrainingJob
print(TrainingJob.objects.get(pk={job!r}).artifact.storage_path)
"""


@pytest.fixture(scope="module")
def console(tmp_path_factory):
    folder = tmp_path_factory.mktemp("wide") / "tiny"
    sizes = [str(WIDTH), str(LAYERS)]
    subprocess.run([TRAINER_PYTHON, "-I", TINY, folder, *sizes], check=True)
    made = Console(tmp_path_factory.mktemp("pair"))
    made.start()
    made.prepare(folder)
    made.shell(OFFER)
    yield made
    made.close()


@pytest.fixture(scope="module")
def dataset(console):
    return console.upload(ROWS)


def trained(console, dataset, **changes) -> tuple[dict, Path]:
    """A finished job, and its adapter unpacked."""
    values = {"dropout": 0, "rank": RANK, "micro_batch": 2}
    job = console.start_job(dataset, epochs=1, hyperparameters=values, **changes)
    ended = console.wait_for_end(job)
    assert ended["status"] == "completed", ended["error_message"]
    path = console.var / "storage" / console.shell(ARCHIVE.format(job=job))
    folder = console.var / "unpacked" / job
    with zipfile.ZipFile(path) as archive:
        assert set(archive.namelist()) == FILES
        archive.extractall(folder)
    return ended | console.result(job), folder / "adapter_model.safetensors"


@pytest.fixture(scope="module")
def alone(console, dataset) -> Path:
    _, weights = trained(console, dataset)
    assert weights.stat().st_size > ADAPTER_BYTES
    return weights


def test_a_pair_saves_once_what_one_process_saves(console, dataset, alone):
    differences = []
    for _ in range(REPETITIONS):
        ended, weights = trained(console, dataset, gpu_config={"type": GPU, "count": 2})
        assert [a[1] for a in ended["attempts"]] == ["completed"]
        assert ended["facts"][0]["world_size"] == 2
        differences.append(difference(alone, weights))
    print(
        f"\n{REPETITIONS} pairs differ from one process by {max(differences)} at most"
    )
    assert max(differences) < 1e-6


def difference(one: Path, other: Path) -> float:
    command = [TRAINER_PYTHON, "-I", "-c", DIFFERENCE, one, other]
    said = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    return float(json.loads(said))
