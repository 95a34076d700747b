"""Doctor checks of this machine: models, the trainer and its GPUs."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db.models import Q

from lora_pipeline.operations.diagnosis import Check, Finding, fault, ok, warning
from training.launchers.account import TrainerUserUnusable, account
from training.launchers.program import TrainerMissing, python_command, run
from training.models import BaseModel, Machine, RunAttempt

TRAINER_SECONDS = 180
SHORT_NAMES = ("torch", "transformers", "trl", "peft", "accelerate", "datasets")
ASK_TRAINER = """
import json, sys
from importlib import import_module
from importlib.metadata import version
names = json.loads(sys.argv[1])
for name in names:
    import_module(name)
import torch
found = torch.cuda.device_count() if torch.cuda.is_available() else 0
print(json.dumps({"versions": {n: version(n) for n in names}, "gpus": found}))
"""

ASK_READS = "import os, sys; print(*(p for p in sys.argv[1:] if os.access(p, os.R_OK)))"
PRIVATE = ("secret_key", "postgres-passwords.json", "storage", "uploads", "runs")


def models() -> Iterator[Finding]:
    """Local base models, and the default one."""
    here = BaseModel.objects.filter(enabled=True).exclude(path="")
    lost = [model.pk for model in here if model.folder and not model.folder.is_dir()]
    for name in lost:
        remedy = "restore the folder, or fix its path in the admin"
        yield fault("models", f"{name}: its folder is missing", remedy)
    default = BaseModel.objects.filter(pk=settings.DEFAULT_BASE_MODEL).first()
    if default is None:
        words = f"{settings.DEFAULT_BASE_MODEL} is not in the catalogue"
        yield fault(
            "models",
            words,
            "run manage.py add_base_model, or change DEFAULT_BASE_MODEL",
        )
    elif default.is_here:
        yield ok("models", f"{default.pk} is on this machine")
    else:
        words = f"{default.pk} will be downloaded by its first run"
        remedy = "run manage.py fetch_demo_model, or leave it to that run"
        yield warning("models", words, remedy)


def trainer() -> Iterator[Finding]:
    """Whether its packages load in the locked versions, and which GPUs torch sees."""
    command = python_command("-c", ASK_TRAINER, json.dumps(SHORT_NAMES))
    try:
        done = run(command, seconds=TRAINER_SECONDS)
    except TrainerMissing:
        words = f"{settings.TRAINER_PYTHON} does not exist"
        yield fault("trainer", words, "make install-trainer")
        return
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or ["no output"]
        yield fault("trainer", f"does not load: {said[0]}", "make install-trainer")
        return
    told = json.loads(done.stdout.splitlines()[-1])
    yield from versions(told["versions"])
    yield gpus(told["gpus"], cards())


def versions(found: dict[str, str]) -> Iterator[Finding]:
    """Compare with the lock file, ignoring build suffixes such as +cpu."""
    lock = Path(settings.BASE_DIR) / "requirements-trainer.lock"
    pairs = (line.split("==") for line in lock.read_text().splitlines() if "==" in line)
    wanted: dict[str, Any] = {name.strip(): version.strip() for name, version in pairs}
    other = [
        f"{name} {version} (locked: {wanted[name]})"
        for name, version in found.items()
        if name in wanted and version.partition("+")[0] != wanted[name]
    ]
    if other:
        yield warning(
            "trainer", f"loads with {', '.join(other)}", "make install-trainer"
        )
    else:
        named = ", ".join(f"{name} {version}" for name, version in found.items())
        yield ok("trainer", named)


def cards() -> int:
    """Number of GPUs the driver lists; 0 without a driver."""
    if shutil.which("nvidia-smi") is None:
        return 0
    command = ["nvidia-smi", "--list-gpus"]  # wherever the driver installed it
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)  # noqa: S603 - a constant
    return sum(line.startswith("GPU ") for line in done.stdout.splitlines())


def gpus(seen: int, there: int) -> Finding:
    """Compare the GPUs torch sees with those of the machine."""
    if not there and not seen:
        return ok("gpu", "none on this machine: runs use the CPU")
    if seen < there:
        words = f"the machine has {there}, the trainer's torch sees {seen}"
        remedy = (
            "install the CUDA build of the torch version in requirements-trainer.lock"
        )
        return fault("gpu", words, remedy)
    return ok("gpu", f"the trainer's torch sees {seen}")


def trainer_user() -> Iterator[Finding]:
    """Who trainers run as, and what of the console's that user could read."""
    try:
        other = account()
    except TrainerUserUnusable as error:
        yield fault(
            "trainer", str(error), "see 'Trainers as another user' in the guide"
        )
        return
    if other is None:
        words = "runs as the console's own user; TRAINER_USER names another"
        yield ok("trainer", words)
        return
    found = _read_as_other()
    if found is None:
        words = f"cannot be started as {other.name}"
        remedy = "start us as root or with the capabilities that the guide names"
        yield fault("trainer", words, remedy)
    elif found:
        words = f"runs as {other.name}, who can read {', '.join(found)}"
        yield fault("trainer", words, f"chmod go-rwx {' '.join(found)}")
    else:
        yield ok("trainer", f"runs as {other.name}, who reads no secret of ours")


def _read_as_other() -> list[str] | None:
    """Which of our own files a trainer can read; None where none can be started."""
    var = Path(settings.VAR_DIR)
    private = [var / name for name in PRIVATE]
    try:
        done = run(python_command("-c", ASK_READS, *map(str, private)), seconds=60)
    except (OSError, TrainerMissing):
        return None
    return done.stdout.split() if done.returncode == 0 else None


def draining() -> Iterator[Finding]:
    """Machines that are still draining, in case someone forgot."""
    for machine in Machine.objects.exclude(draining_since=None):
        since = f"{machine.draining_since:%Y-%m-%d %H:%M} ({machine.drained_by})"
        words = f"{machine} has been draining since {since}"
        remedy = f"manage.py drain --undo --machine {machine}"
        yield warning("drain", words, remedy)


def clocks() -> Iterator[Finding]:
    """Whether somebody set the clock while a run was under way."""
    found = RunAttempt.objects.open().filter(
        Q(clocks__moved__gt=0) | Q(clocks__moved__lt=0)
    )
    for attempt in found.select_related("job"):
        moved = attempt.clocks["moved"]
        words = f"moved by {moved:+.0f} s during job {attempt.job_id}: not charged"
        yield warning("clock", words, "let NTP slew it, and look what set it")


CHECKS = [
    Check(clocks, needs_database=True),
    Check(draining, needs_database=True),
    Check(models, needs_database=True),
    Check(trainer),
    Check(trainer_user),
]
