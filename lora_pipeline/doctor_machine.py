"""The doctor's look at this machine: disks, models, the trainer and its GPUs."""

import json
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from django.conf import settings

from lora_pipeline.finding import Finding, fault, ok, warning
from training.launchers.local import trainer_environment
from training.models import BaseModel

LOW_BYTES, FULL_BYTES = 10 * 1024**3, 1024**3
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


def disks() -> Iterator[Finding]:
    """Room where files grow."""
    for part, folder in (
        ("storage", settings.STORAGE_DIR),
        ("runs", settings.RUNS_DIR),
        ("uploads", settings.UPLOAD_DIR),
        ("models", settings.MODELS_DIR),
    ):
        free = shutil.disk_usage(folder).free
        words = f"{part}: {free / 1e9:.1f} GB free in {folder}"
        remedy = "make room; manage.py clean_up --dry-run says what can go"
        if free >= LOW_BYTES:
            yield ok("disk", words)
        else:
            level = fault if free < FULL_BYTES else warning
            yield level("disk", words, remedy)


def models() -> Iterator[Finding]:
    """Base models that are folders here, and the default one."""
    here = BaseModel.objects.filter(enabled=True).exclude(path="")
    lost = [model.pk for model in here if not Path(model.path).is_dir()]
    for name in lost:
        remedy = "put the folder back, or correct its path in the admin"
        yield fault("models", f"{name}: its folder is not there", remedy)
    default = BaseModel.objects.filter(pk=settings.DEFAULT_BASE_MODEL).first()
    if default is None:
        words = f"{settings.DEFAULT_BASE_MODEL} is in no catalogue"
        yield fault("models", words, "manage.py add_base_model, or DEFAULT_BASE_MODEL")
    elif default.is_here:
        yield ok("models", f"{default.pk} is here")
    else:
        words = f"{default.pk} is fetched by its first run"
        remedy = "manage.py fetch_demo_model, or leave it to that run"
        yield warning("models", words, remedy)


def trainer() -> Iterator[Finding]:
    """Whether its packages load, in the locked versions, and which GPUs torch sees."""
    python = Path(settings.TRAINER_PYTHON)
    if not python.is_file():
        yield fault("trainer", f"there is no {python}", "make install-trainer")
        return
    command = [str(python), "-I", "-c", ASK_TRAINER, json.dumps(SHORT_NAMES)]
    done = subprocess.run(  # noqa: S603 - the trainer's Python, an operator's setting
        command,
        capture_output=True,
        text=True,
        timeout=TRAINER_SECONDS,
        cwd=settings.VAR_DIR,
        env=trainer_environment(),
    )
    if done.returncode:
        said = done.stderr.strip().splitlines()[-1:] or ["no word"]
        yield fault("trainer", f"does not load: {said[0]}", "make install-trainer")
        return
    told = json.loads(done.stdout.splitlines()[-1])
    yield from versions(told["versions"])
    yield gpus(told["gpus"], cards())


def versions(found: dict[str, str]) -> Iterator[Finding]:
    """Compared with the lock; a build's suffix such as +cpu counts as the same."""
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
    """GPUs that the driver names; 0 without one."""
    if shutil.which("nvidia-smi") is None:
        return 0
    command = ["nvidia-smi", "--list-gpus"]  # wherever the driver put it
    done = subprocess.run(command, capture_output=True, text=True, timeout=60)  # noqa: S603 - a constant
    return sum(line.startswith("GPU ") for line in done.stdout.splitlines())


def gpus(seen: int, there: int) -> Finding:
    """What torch sees against what there is."""
    if not there and not seen:
        return ok("gpu", "none here: runs use the processor")
    if seen < there:
        words = f"the machine has {there}, the trainer's torch sees {seen}"
        remedy = "install torch of requirements-trainer.lock built for CUDA"
        return fault("gpu", words, remedy)
    return ok("gpu", f"the trainer's torch sees {seen}")
