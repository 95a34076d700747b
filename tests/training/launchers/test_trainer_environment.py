"""What a trainer's process is given, and what a run's token and names can reach."""

import json
import os
import subprocess
import sys
from pathlib import Path
from uuid import uuid4

import pytest
from rest_framework.test import APIClient

from lora_pipeline.tokens import hash_secret
from tests.factories import TrainingJobFactory
from training.launchers import local
from training.launchers.oneshot import lines_of
from training.launchers.program import KEPT_VARIABLES
from training.models import RunAttempt
from training.runs.dispatch import launch
from training.runs.outcomes import end_attempt

PRINT = "import json, os, sys; print(json.dumps(dict(os.environ)))"
OURS = {"LORA_RUN_ID", "LORA_RUN_TOKEN", "CUDA_VISIBLE_DEVICES"}
OWN = {
    "MALLOC_MMAP_THRESHOLD_",
    "MALLOC_TRIM_THRESHOLD_",
    "OMP_NUM_THREADS",
    "OMP_WAIT_POLICY",
    "GOMP_SPINCOUNT",
    "TOKENIZERS_PARALLELISM",
    "HF_HUB_DISABLE_TELEMETRY",
}
ADDED_BY_PYTHON = {"LC_CTYPE", "PWD", "SHLVL", "_"}
SECRETS = {
    "SECRET_KEY": "the console's key",
    "DATABASE_URL": "postgres://user:word@database.example/x",
    "EMAIL_HOST_PASSWORD": "the mail server's word",
    "AWS_SECRET_ACCESS_KEY": "the storage's word",
    "ANYTHING_ELSE": "of the operator's shell",
}


@pytest.fixture
def program(tmp_path, settings, monkeypatch):
    """A trainer that says what it was given; secrets stand around it."""
    script = tmp_path / "trainer.py"
    script.write_text(PRINT)
    settings.TRAINER_PYTHON, settings.TRAINER_PROGRAM = Path(sys.executable), script
    settings.HF_TOKEN = ""
    for name, value in SECRETS.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setenv("HF_TOKEN", "hf_of_the_operators_shell")


def given_to_a_run() -> dict[str, str]:
    job_id, run_id = uuid4(), uuid4()
    local.launch(local.Launch(job_id=job_id, run_id=run_id, token="run_x"))
    local._children[-1].wait(30)
    return json.loads(local.output_log(job_id, run_id).read_text())


def given_to_a_question() -> dict[str, str]:
    [found] = lines_of([], seconds=30)
    return found


@pytest.mark.parametrize("given", [given_to_a_run, given_to_a_question])
def test_a_trainer_gets_what_is_named_and_nothing_else(program, given):
    found = given()
    allowed = set(KEPT_VARIABLES) | OURS | OWN | ADDED_BY_PYTHON
    assert set(found) <= allowed
    assert not set(SECRETS.values()) & set(found.values())


@pytest.mark.parametrize("given", [given_to_a_run, given_to_a_question])
def test_the_hubs_token_is_given_only_where_the_operator_set_one(
    program, settings, given
):
    assert "HF_TOKEN" not in given()
    settings.HF_TOKEN = "hf_for_the_console"
    assert given()["HF_TOKEN"] == "hf_for_the_console"


@pytest.fixture
def attempt(owner, dataset):
    job = TrainingJobFactory(user=owner, dataset=dataset, status="initializing")
    return RunAttempt.objects.create(job=job, number=1, token_hash=hash_secret("token"))


@pytest.fixture
def trainer():
    client = APIClient()
    client.credentials(HTTP_AUTHORIZATION="Bearer token")
    return client


DOORS = [
    ("get", "spec"),
    ("get", "dataset/train"),
    ("get", "dataset/validation"),
    ("post", "events"),
    ("put", "artifact"),
]


@pytest.mark.parametrize(("method", "door"), DOORS)
def test_a_run_token_is_good_for_its_run_until_the_attempt_ends(
    trainer, attempt, owner, dataset, method, door
):
    other = RunAttempt.objects.create(
        job=TrainingJobFactory(user=owner, dataset=dataset),
        number=1,
        token_hash="other",
    )
    ask = getattr(trainer, method)
    body = {"data": {"events": []}, "format": "json"} if method == "post" else {}
    assert ask(f"/api/runs/{other.pk}/{door}", **body).status_code == 404
    end_attempt(attempt, "lost")
    assert ask(f"/api/runs/{attempt.pk}/{door}", **body).status_code == 410


@pytest.mark.parametrize(
    "path", ["/api/jobs", "/api/datasets", "/api/adapters", "/api/schema", "/api/gpus"]
)
def test_a_run_token_opens_nothing_else(trainer, attempt, path):
    assert trainer.get(path).status_code == 401


def test_an_api_key_opens_no_run(api, attempt):
    assert api.get(f"/api/runs/{attempt.pk}/spec").status_code == 401


def test_only_a_hash_of_the_token_is_kept(program, owner, dataset, settings, tmp_path):
    settings.BASE_URL_FILE = tmp_path / "none"
    job = TrainingJobFactory(user=owner, dataset=dataset)
    assert launch(job.pk, ["cpu-0"])
    local._children[-1].wait(30)
    [attempt] = job.attempts.all()
    token = json.loads(local.output_log(job.pk, attempt.pk).read_text())[
        "LORA_RUN_TOKEN"
    ]
    assert token.startswith("run_")
    assert attempt.token_hash == hash_secret(token)
    job.refresh_from_db()
    kept = [str(vars(row)) for row in (job, attempt, *job.events.all())]
    assert not [row for row in kept if token in row]


@pytest.mark.parametrize(
    "name",
    ["../../other/checkpoints/checkpoint-1", "/etc", "checkpoint-1/../..",
     "checkpoint-", "checkpoint-1\n", "adapter"],
)  # fmt: skip
def test_a_checkpoint_elsewhere_is_refused_at_every_door(trainer, attempt, name):
    event = {"sequence": 1, "at": "2026-01-01T00:00:00Z", "type": "checkpoint"}
    event |= {"step": 1, "name": name}
    path = f"/api/runs/{attempt.pk}/events"
    answer = trainer.post(path, {"events": [event]}, format="json")
    assert answer.status_code == 400
    with pytest.raises(FileNotFoundError):
        local.bring_checkpoint(uuid4(), uuid4(), name)
    with pytest.raises(ValueError, match="is not a checkpoint name"):
        local.remove_checkpoint(uuid4(), name)


REFUSE = """
import sys
sys.path.insert(0, sys.argv[1])
from explain import ModelNotFound
from remote_code import refuse_unknown_code
model = {"id": "some/model", "remote_code": sys.argv[3] == "allowed"}
try:
    refuse_unknown_code(model, sys.argv[2])
except ModelNotFound as error:
    print(error)
else:
    print("taken")
"""


@pytest.mark.trainer
@pytest.mark.parametrize(
    ("config", "allowed", "says"),
    [
        ({"model_type": "strange", "auto_map": {"AutoConfig": "x.Y"}}, "", "own"),
        ({"model_type": "strange", "auto_map": {}}, "allowed", "taken"),
        ({"model_type": "llama", "auto_map": {"AutoConfig": "x.Y"}}, "", "taken"),
        ({"model_type": "llama"}, "", "taken"),
    ],
)
def test_a_model_with_code_of_its_own_needs_an_operators_leave(
    tmp_path, config, allowed, says
):
    from django.conf import settings

    (tmp_path / "config.json").write_text(json.dumps(config))
    (tmp_path / "x.py").write_text("raise SystemExit('it ran')")
    program = [str(settings.TRAINER_PYTHON), "-I", "-c", REFUSE]
    trainer = str(settings.BASE_DIR / "training" / "trainer")
    done = subprocess.run(
        [*program, trainer, str(tmp_path), allowed],
        capture_output=True,
        text=True,
        check=True,
        env={"PATH": os.environ["PATH"]},
    )
    assert says in done.stdout
    if says == "own":
        assert "REMOTE_CODE_MODELS=some/model" in done.stdout


def test_the_spec_says_whether_an_operator_allowed_a_models_code(
    trainer, attempt, settings
):
    path = f"/api/runs/{attempt.pk}/spec"
    assert trainer.get(path).json()["data"]["base_model"]["remote_code"] is False
    settings.REMOTE_CODE_MODELS = [attempt.job.base_model_id]
    assert trainer.get(path).json()["data"]["base_model"]["remote_code"] is True
