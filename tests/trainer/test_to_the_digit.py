"""A run is, to the digit, what a plain loop of PyTorch and PEFT computes."""

import json
import subprocess
from itertools import product

import pytest

from tests.trainer.conftest import ROOT, TRAINER_PYTHON

pytestmark = pytest.mark.trainer
SCRIPT = str(ROOT / "tests" / "trainer" / "independent.py")
TRAINER = ROOT / "training" / "trainer"
ROWS, HELD_OUT = 61, 7
QUICK = [
    {"batch_size": 4, "micro_batch": 1, "scheduler": "constant", "epochs": 1},
    {"batch_size": 4, "micro_batch": 2, "scheduler": "constant", "epochs": 1},
    {"batch_size": 4, "micro_batch": 4, "scheduler": "constant", "epochs": 1},
    {"batch_size": 8, "micro_batch": 2},
    {"batch_size": 64, "micro_batch": 4, "epochs": 1},
    {"batch_size": 4, "micro_batch": 2, "packing": True, "max_length": 96},
]
RECIPES = [
    {"use_rslora": True},
    {"weight_decay": 0.5},
    {"max_grad_norm": 0.01},
    {"max_grad_norm": 0},
    {"warmup_steps": 7},
    {"warmup_steps": 0},
    {"scheduler": "polynomial"},
    {"scheduler": "cosine_with_restarts"},
    {"scheduler": "inverse_sqrt"},
]
NOISE = {"neftune_noise_alpha": 5}
MIXTURE = {"batch_size": 8, "micro_batch": 2, "epochs": 1, "mixture": True}
WIDE = [
    {"batch_size": batch, "micro_batch": batch // accumulation, "epochs": 1,
     "packing": packing, "gradient_checkpointing": checkpointing}
    for batch, accumulation, packing, checkpointing in product(
        (1, 4, 8), (1, 2, 4), (False, True), (False, True)
    ) if batch % accumulation == 0
]  # fmt: skip
PAIR = [
    {"batch_size": 8, "micro_batch": 2},
    {"batch_size": 2, "micro_batch": 1, "epochs": 1},
    {"batch_size": 4, "micro_batch": 1, "packing": True, "max_length": 96},
]


@pytest.fixture(scope="module")
def data(tmp_path_factory):
    """61 rows, which no batch divides, of very different lengths."""
    folder = tmp_path_factory.mktemp("digits")
    for split, count in (("train", ROWS), ("validation", HELD_OUT)):
        rows = [
            {"messages": [
                {"role": "user", "content": f"question {n} of the lamp"},
                {"role": "assistant", "content": f"answer {n * 7 % 10} " * (n % 6 + 1)},
            ]} for n in range(count)
        ]  # fmt: skip
        lines = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{split}.jsonl").write_text(lines)
    return folder


def found(tiny_model, data, settings, *, processes=1):
    many = [
        "-m",
        "torch.distributed.run",
        "--standalone",
        f"--nproc-per-node={processes}",
    ]
    done = subprocess.run(
        [TRAINER_PYTHON, *(many if processes > 1 else ["-I"]), SCRIPT, TRAINER,
         tiny_model, data, json.dumps(settings)],
        capture_output=True, text=True, env={"OMP_NUM_THREADS": "1", "HOME": "/tmp"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    lines = done.stdout.splitlines()
    answers = [json.loads(x[6:]) for x in lines if x.startswith("FOUND ")]
    assert len(answers) == len(settings)
    return list(zip(settings, answers, strict=True))


def require_equal(setting, run):
    loop = run["loop"]
    assert len(run["steps"]) == len(loop["steps"]), setting
    for step, (own, plain) in enumerate(zip(run["steps"], loop["steps"], strict=True)):
        assert own == pytest.approx(plain, rel=1e-5), (setting, step)
        assert own[4] == plain[4], (setting, step)
    for own, plain in zip(run["evaluations"], loop["evaluations"], strict=True):
        assert own == pytest.approx(plain, rel=1e-6), setting


def require_aux_apart(run):
    """The loss of a mixture's first step is the loop's, which knows no other: the
    auxiliary loss stands beside it. Later steps are the auxiliary gradient's too.
    """
    assert run["steps"][0][1] == pytest.approx(run["loop"]["steps"][0][1], rel=1e-5)
    assert all(aux > 1 for [aux] in run["aux"])


def test_loss_gradient_and_rate_of_every_step_are_a_plain_loops(tiny_model, data):
    *runs, mixed = found(tiny_model, data, [*QUICK, MIXTURE])
    for setting, run in runs:
        require_equal(setting, run)
    require_aux_apart(mixed[1])
    by_micro_batch = [run["evaluations"][-1][1] for _, run in runs[:3]]
    assert by_micro_batch == pytest.approx([by_micro_batch[0]] * 3, rel=1e-6)
    [single] = runs[4][1]["steps"]
    assert single[3] == 1e-3, "a run of one step learns at the whole rate"


@pytest.mark.long
def test_each_setting_of_the_recipe_changes_what_is_trained(tiny_model, data):
    plain, *changed = (
        {"batch_size": 8, "epochs": 1} | values for values in ({}, *RECIPES)
    )
    noisy = {"batch_size": 8, "epochs": 1} | NOISE
    (_, before), *runs, (_, noise) = found(tiny_model, data, [plain, *changed, noisy])
    require_equal(plain, before)
    for setting, run in runs:
        require_equal(setting, run)
        assert run["evaluations"] != before["evaluations"], setting
    assert noise["steps"][0][1] != pytest.approx(before["steps"][0][1], rel=1e-4)


@pytest.mark.long
def test_so_they_are_for_every_division_of_a_batch(tiny_model, data):
    for setting, run in found(tiny_model, data, WIDE):
        require_equal(setting, run)


def test_two_processes_train_no_row_twice(tiny_model, data):
    for setting, run in found(tiny_model, data, PAIR, processes=2):
        require_equal(setting, run)
