"""Trainers as another user: what they reach, and what they cannot make us do."""

import json
import os
import pwd
import shutil
import stat
import subprocess
import sys
import time
from pathlib import Path
from uuid import uuid4

import pytest

from training.launchers import local
from training.launchers.account import (
    TrainerUserUnusable,
    account,
    command_as,
    hand_over,
    started_as,
    taken_over,
)
from training.launchers.oneshot import lines_of
from training.launchers.program import python_command, run
from training.operators.doctor import trainer_user

PYTHON = Path("/usr/bin/python3")
OTHER = "nobody"
as_root = pytest.mark.skipif(
    os.geteuid() != 0 or not PYTHON.exists(),
    reason="needs root, and a Python that everybody can run",
)
LOOK = """
import json, os, pathlib, sys, time
told = {"uid": os.getuid(), "groups": os.getgroups(), "home": os.environ["HOME"]}
told["reads"] = [p for p in json.loads(os.environ.get("LOOK_AT", "[]") or "[]")
                 if os.access(p, os.R_OK)]
for line in open("/proc/self/status"):
    if line.startswith(("CapPrm", "CapEff", "CapAmb")):
        told[line.split(":")[0]] = int(line.split()[1], 16)
args = sys.argv[1:]
if "--run-dir" in args:
    folder = pathlib.Path(args[args.index("--run-dir") + 1])
    told["base_url"] = (folder / "base_url").read_text()
    (folder / "checkpoints" / "checkpoint-1").mkdir(parents=True)
    (folder / "checkpoints" / "checkpoint-1" / "model.bin").write_text("weights")
    part = folder / "pid.part"
    part.write_text(str(os.getpid()))
    part.rename(folder / "pid")
print(json.dumps(told), flush=True)
if (pathlib.Path(__file__).parent / "stay").exists():
    time.sleep(60)
"""


@pytest.fixture
def place(settings, monkeypatch):
    """A console's var folder that others can pass through, as settings make it."""
    var = Path("/tmp") / f"lp-{uuid4().hex}"
    modes = {"": 0o711, "runs": 0o711, "uploads": 0o711, "models": 0o700}
    for name, mode in (modes | {"storage": 0o700, "program": 0o755}).items():
        (var / name).mkdir(mode=mode)
        (var / name).chmod(mode)
    (var / "program" / "trainer.py").write_text(LOOK)
    (var / "program" / "trainer.py").chmod(0o644)
    settings.VAR_DIR, settings.RUNS_DIR = var, var / "runs"
    settings.UPLOAD_DIR, settings.MODELS_DIR = var / "uploads", var / "models"
    settings.STORAGE_DIR, settings.BASE_URL_FILE = var / "storage", var / "base_url"
    settings.TRAINER_PYTHON = PYTHON
    settings.TRAINER_PROGRAM = var / "program" / "trainer.py"
    for secret in ("secret_key", "postgres-passwords.json", "base_url"):
        (var / secret).write_text("http://127.0.0.1:1")
    (var / "storage" / "data.jsonl").write_text("somebody's")
    yield var
    shutil.rmtree(var, ignore_errors=True)


@pytest.fixture
def other(place, settings):
    settings.TRAINER_USER = OTHER
    return pwd.getpwnam(OTHER)


def secrets_of(place: Path) -> list[str]:
    return [str(place / name) for name in ("secret_key", "postgres-passwords.json")] + [
        str(place / "storage" / "data.jsonl"), str(place / "uploads"),
    ]  # fmt: skip


def started(place: Path) -> tuple[local.Launch, subprocess.Popen]:
    what = local.Launch(job_id=uuid4(), run_id=uuid4(), token="run_x")
    local.launch(what)
    return what, local._children[-1]


def said_by(what: local.Launch, seconds: float = 20) -> dict:
    deadline = time.monotonic() + seconds
    while not (said := local.log_tail(what.job_id, what.run_id)).endswith("\n"):
        assert time.monotonic() < deadline, said
        time.sleep(0.05)
    return json.loads(said.splitlines()[-1])


@as_root
def test_a_run_is_another_user_that_reads_no_secret_of_ours(place, other, monkeypatch):
    monkeypatch.setattr(
        "training.launchers.program.KEPT_VARIABLES", ("PATH", "LOOK_AT")
    )
    monkeypatch.setenv("LOOK_AT", json.dumps(secrets_of(place)))
    what, child = started(place)
    told = said_by(what)
    assert child.wait(20) == 0
    assert told["uid"] == other.pw_uid
    assert 0 not in told["groups"]
    assert (told["CapPrm"], told["CapEff"], told["CapAmb"]) == (0, 0, 0)
    assert told["reads"] == []
    assert told["base_url"] == "http://127.0.0.1:1"
    assert told["home"] == str(place / "trainer")
    folder = local.run_dir(what.job_id)
    assert stat.S_IMODE(folder.stat().st_mode) & 0o007 == 0
    weights = folder / "checkpoints" / "checkpoint-1" / "model.bin"
    assert weights.stat().st_uid == other.pw_uid
    assert stat.S_IMODE(weights.stat().st_mode) == 0o660


@as_root
def test_without_the_setting_a_run_is_ours_and_could_read_them(place, monkeypatch):
    monkeypatch.setattr(
        "training.launchers.program.KEPT_VARIABLES", ("PATH", "HOME", "LOOK_AT")
    )
    monkeypatch.setenv("LOOK_AT", json.dumps(secrets_of(place)))
    what, child = started(place)
    told = said_by(what)
    child.wait(20)
    assert told["uid"] == os.geteuid()
    assert told["reads"] == secrets_of(place)


@as_root
def test_a_checkpoint_of_another_users_goes_on_in_a_new_job(place, other):
    what, child = started(place)
    child.wait(20)
    after = uuid4()
    local.bring_checkpoint(what.job_id, after, "checkpoint-1")
    hand_over(local.run_dir(after))
    brought = local.run_dir(after) / "checkpoints" / "checkpoint-1" / "model.bin"
    assert brought.read_text() == "weights"
    assert brought.stat().st_gid == other.pw_gid


@as_root
def test_a_run_is_seen_alive_and_ended(place, other):
    (place / "program" / "stay").touch()
    (place / "program" / "stay").chmod(0o644)
    what, child = started(place)
    said_by(what)
    assert local.is_alive(what.job_id)
    local.stop(what.job_id)
    assert child.wait(10) == -15
    assert not local.is_alive(what.job_id)


@as_root
def test_short_work_is_another_users_too(place, other):
    [told] = lines_of([], seconds=30)
    assert told["uid"] == other.pw_uid
    done = run(python_command("-c", "import os; print(os.getuid())"))
    assert int(done.stdout) == other.pw_uid


@as_root
def test_links_that_a_trainer_leaves_are_not_followed(place, other):
    what, child = started(place)
    child.wait(20)
    folder, secret = local.run_dir(what.job_id), place / "secret_key"
    log = local.output_log(what.job_id, what.run_id)
    for name in (log, folder / "base_url.part", folder / "pid", folder / "lock"):
        name.unlink(missing_ok=True)
        name.symlink_to(secret)
    assert local.log_tail(what.job_id, what.run_id) == ""
    (place / "base_url").write_text("http://127.0.0.1:2")
    local.write_base_url(what.job_id)
    assert (folder / "base_url").read_text() == "http://127.0.0.1:2"
    assert secret.read_text() == "http://127.0.0.1:1"
    assert not local.is_alive(what.job_id)
    (folder / "checkpoints" / "checkpoint-1" / "key").symlink_to(secret)
    after = uuid4()
    local.bring_checkpoint(what.job_id, after, "checkpoint-1")
    brought = local.run_dir(after) / "checkpoints" / "checkpoint-1" / "key"
    assert brought.is_symlink()
    hand_over(folder)
    assert stat.S_IMODE(secret.stat().st_mode) == 0o600
    assert secret.stat().st_gid == os.getegid()
    shutil.rmtree(log.parent.parent)
    (folder / "attempts").symlink_to(place)
    (place / str(what.run_id)).mkdir()
    (place / str(what.run_id) / "output.log").write_text("ours")
    assert local.log_tail(what.job_id, what.run_id) == ""


@as_root
def test_a_process_that_is_no_trainer_is_not_ended_by_its_number(place, other):
    (place / "program" / "stay").touch()
    (place / "program" / "stay").chmod(0o644)
    what, child = started(place)
    said_by(what)
    bystander = subprocess.Popen(["sleep", "60"], start_new_session=True)
    for name in ("pid", "group"):
        noted = local.run_dir(what.job_id) / name
        noted.unlink(missing_ok=True)
        noted.write_text(str(bystander.pid))
    local.stop(what.job_id)
    local.kill(what.job_id)
    time.sleep(0.3)
    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()
    os.killpg(child.pid, 9)
    child.wait()


@as_root
def test_base_models_are_read_and_not_written(place, other):
    model = place / "models" / "some"
    model.mkdir()
    (model / "weights").write_text("w")
    code = "import os,sys; print(os.access(sys.argv[1],4), os.access(sys.argv[1],2))"
    done = run(python_command("-c", code, str(model / "weights")))
    assert done.stdout.split() == ["True", "False"]
    hand_over(model)
    kept = taken_over(model)
    done = run(python_command("-c", code, str(kept / "weights")))
    assert done.stdout.split() == ["True", "False"]


UNPRIVILEGED = """
import os, sys
sys.path.insert(0, sys.argv[1])
os.umask(0o077)
import django
from django.conf import settings
from pathlib import Path
var = Path(sys.argv[2])
settings.configure(
    VAR_DIR=var, RUNS_DIR=var / "runs", UPLOAD_DIR=var / "uploads", HF_TOKEN="",
    MODELS_DIR=var / "models", BASE_URL_FILE=var / "base_url", BASE_URL="",
    TRAINER_PYTHON=Path("/usr/bin/python3"), TRAINER_THREADS=1, TRAINER_USER="nobody",
    TRAINER_PROGRAM=var / "program" / "trainer.py",
)
from uuid import uuid4
from training.launchers import local
what = local.Launch(job_id=uuid4(), run_id=uuid4(), token="run_x")
local.launch(what)
local._children[-1].wait(20)
print(local.log_tail(what.job_id, what.run_id))
"""


@as_root
def test_three_capabilities_are_enough_and_none_reaches_the_trainer(place, other):
    console = pwd.getpwnam("daemon")
    for path in (place, *place.rglob("*")):
        os.chown(path, console.pw_uid, console.pw_gid)
    capabilities = "+setuid,+setgid,+kill"
    groups = f"{console.pw_gid},{other.pw_gid}"
    command = [
        "setpriv", f"--reuid={console.pw_uid}", f"--regid={console.pw_gid}",
        f"--groups={groups}", f"--inh-caps={capabilities}",
        f"--ambient-caps={capabilities}", f"--bounding-set=-all,{capabilities}",
    ]  # fmt: skip
    root = Path(__file__).parents[3]
    paths = [p for p in sys.path if p.endswith("site-packages")]
    for needed in (root / "manage.py", PYTHON, *paths):
        if subprocess.run([*command, "test", "-r", str(needed)]).returncode:
            pytest.skip(f"another user cannot read {needed}")
    done = subprocess.run(
        [*command, str(PYTHON), "-c", UNPRIVILEGED, str(root), str(place)],
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(paths)},
    )
    told = json.loads(done.stdout.strip().splitlines()[-1])
    assert told["uid"] == other.pw_uid
    assert (told["CapPrm"], told["CapEff"], told["CapAmb"]) == (0, 0, 0)
    assert console.pw_gid not in told["groups"]


def test_a_user_that_cannot_be_is_refused_in_words(settings):
    for name, words in (("no-such-user", "no such user"), ("root", "root or")):
        settings.TRAINER_USER = name
        with pytest.raises(TrainerUserUnusable, match=words):
            account()
    settings.TRAINER_USER = ""
    assert (account(), started_as(), command_as(["x"])) == (None, {}, ["x"])


@as_root
def test_the_doctor_says_who_trainers_are_and_what_they_could_read(place, other):
    [finding] = trainer_user()
    assert finding.level == "ok"
    assert "nobody" in finding.words
    (place / "secret_key").chmod(0o644)
    [finding] = trainer_user()
    assert finding.level == "fault"
    assert "secret_key" in finding.words


def test_the_doctor_names_the_setting_where_trainers_are_us(settings):
    settings.TRAINER_USER = ""
    [finding] = trainer_user()
    assert finding.level == "ok"
    assert "TRAINER_USER" in finding.words
