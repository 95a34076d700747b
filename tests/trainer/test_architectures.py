"""What an adapter trains of each kind of model, and whether its sequences pack."""

import json
import subprocess

import pytest

from tests.trainer.conftest import ROOT, TRAINER_PYTHON
from training.domain.catalogue.architecture_config import architecture_from_config
from training.domain.catalogue.packing import can_pack

pytestmark = pytest.mark.trainer
SCRIPT = str(ROOT / "tests" / "trainer" / "architectures.py")
RANK = 4
CATALOGUE = ("llama", "mistral", "qwen2", "qwen3", "gemma2", "phi3")
MIXTURES = ("mixtral", "qwen3_moe", "olmoe")
ATTENTION = ["k_proj", "o_proj", "q_proj", "v_proj"]
PACKS = (*CATALOGUE, *MIXTURES, "qwen2_moe", "gpt2")
LEAKS = ("gpt_oss", "opt", "bloom", "mamba", "mpt", "falcon", "lfm2")


@pytest.fixture(scope="module")
def found():
    done = subprocess.run(
        [TRAINER_PYTHON, "-I", SCRIPT, ROOT / "training" / "trainer"],
        capture_output=True, text=True, env={"OMP_NUM_THREADS": "1", "HOME": "/tmp"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.parametrize("kind", [*CATALOGUE, *MIXTURES])
def test_the_estimates_trained_weights_are_pefts(found, kind):
    counted = architecture_from_config(found[kind]["config"]).lora_parameters(RANK)
    assert found[kind]["trained"] == [counted, counted], "without and with dropout"


@pytest.mark.parametrize("kind", [*MIXTURES, "gpt_oss"])
def test_router_and_experts_are_left_as_they_are(found, kind):
    assert found[kind]["adapted"] == ATTENTION


def test_the_shared_expert_of_a_mixture_is_adapted(found):
    names = [*ATTENTION, "down_proj", "gate_proj", "up_proj"]
    assert found["qwen2_moe"]["adapted"] == sorted(names)


@pytest.mark.parametrize("kind", PACKS)
def test_sequences_of_most_models_stay_apart_when_packed(found, kind):
    assert found[kind]["cannot_pack"] == ""
    assert can_pack(kind)


@pytest.mark.parametrize("kind", LEAKS)
def test_a_model_that_leaks_is_refused_in_words_by_trainer_and_form(found, kind):
    words = found[kind]["cannot_pack"]
    assert "cannot be packed" in words
    assert "Start again without packing" in words
    assert not can_pack(kind)


def test_a_models_own_dropout_is_off(found):
    assert found["gpt2"]["dropouts"] == [0.0]
