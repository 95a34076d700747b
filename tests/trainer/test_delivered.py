"""What is delivered: the same bytes each time, true in words, and of use elsewhere."""

import json
import subprocess

import pytest

from tests.trainer.conftest import ROOT, TRAINER_PYTHON

pytestmark = pytest.mark.trainer
SCRIPT = str(ROOT / "tests" / "trainer" / "delivered.py")


def delivered(tiny_model, work, hash_seed, *words):
    """One run, in a process whose sets are in an order of their own."""
    work.mkdir(exist_ok=True)
    environment = {"OMP_NUM_THREADS": "1", "HOME": "/tmp", "PYTHONHASHSEED": hash_seed}
    done = subprocess.run(
        [TRAINER_PYTHON, SCRIPT, ROOT / "training" / "trainer", tiny_model, work,
         *words],
        capture_output=True, text=True, env=environment,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    [line] = [x for x in done.stdout.splitlines() if x.startswith("FOUND ")]
    return json.loads(line[6:])


@pytest.fixture(scope="module")
def work(tmp_path_factory):
    return tmp_path_factory.mktemp("delivered")


@pytest.fixture(scope="module")
def found(tiny_model, work):
    return delivered(tiny_model, work, "1", "use")


def test_the_adapter_stops_where_its_turns_ended_not_at_the_bases_end_of_text(found):
    assert found["config"]["eos_token"] == "<|end|>"
    assert 0 < found["by_the_card"] < 32
    assert 0 < found["by_the_merge"] < 32
    assert found["rendered_alike"]
    assert "| end of an answer | `<|end|>` |" in found["card"]


def test_the_tokenizers_config_gains_no_key(found):
    assert found["gained"] == []


def test_the_card_says_what_ran(found, work):
    for name, value in {
        "base model": work / "base", "training sequences": 61, "steps": 96,
        "validation sequences": 5, "method": "lora", "packing": False,
        "micro-batch": 2, "gradient accumulation": 2, "processes": 1,
        "warm-up steps": 3, "dropout": 0.1,
        "target modules": "down_proj, gate_proj, k_proj, o_proj, q_proj, up_proj, "
        "v_proj",
    }.items():  # fmt: skip
        assert f"| {name} | {value} |" in found["card"], name


def test_an_adapter_of_a_folder_names_the_folder(found, work):
    assert f'from_pretrained("{work / "base"}")' in found["card"]
    assert "tests/named" not in found["card"]


@pytest.mark.long
def test_the_same_run_makes_the_same_bytes(tiny_model, found, work):
    again = delivered(tiny_model, work, "2")
    assert again["archive"] == found["archive"]
