"""One run attempt from start to end, and what is said when it fails."""

import errno
import hashlib
import importlib.metadata
import os
import platform
import signal
import sys
import traceback
import zipfile
from pathlib import Path
from typing import Any

from data import BadData
from reporting import Console, Refused, Reporter
from spec import Spec, read_spec

PACKAGES = ("torch", "transformers", "trl", "peft", "accelerate", "tokenizers")
WEIGHTS = "adapter_model.safetensors"


class Stopped(Exception):
    """The run ended before its last step, since it was told to."""

    def __init__(self, step: int) -> None:
        super().__init__(f"stopped after step {step}")
        self.step = step


def run_attempt(run_dir: Path) -> int:
    """Carry out the attempt named in the environment; returns the exit status."""
    run_id, token = os.environ["LORA_RUN_ID"], os.environ.pop("LORA_RUN_TOKEN")
    attempt_dir = run_dir / "attempts" / run_id
    attempt_dir.mkdir(parents=True, exist_ok=True)
    console = Console(run_dir, run_id, token)
    reporter = Reporter(console, attempt_dir / "events.jsonl")
    signal.signal(signal.SIGTERM, lambda *_: reporter.cancelled.set())
    try:
        _carry_out(console, reporter, run_dir)
        reporter.flush()
    except Refused as refused:
        print(refused, file=sys.stderr)
        return 3
    return 0


def _carry_out(console: Console, reporter: Reporter, run_dir: Path) -> None:
    try:
        reporter.emit("started", **_facts())
        spec = read_spec(console.get_json("spec"), run_dir)
        reporter.emit("stage", stage="preparing_data")
        for split in ("train", "validation"):
            console.download(f"dataset/{split}", run_dir / f"{split}.jsonl")
        _train(spec, console, reporter)
        reporter.emit("completed")
    except Stopped as stopped:
        reporter.emit("cancelled", step=stopped.step)
    except Refused:
        raise
    except BaseException as error:
        if reporter.refused is not None:
            raise reporter.refused from error
        kind, message = explain(error)
        stack = traceback.format_exc()
        print(stack, file=sys.stderr)
        reporter.emit("failed", kind=kind, message=message, stack=stack)


def _facts() -> dict[str, Any]:
    return {
        "pid": os.getpid(),
        "hostname": platform.node(),
        "versions": {name: importlib.metadata.version(name) for name in PACKAGES}
        | {"python": platform.python_version()},
        "world_size": int(os.environ.get("WORLD_SIZE", "1")),
    }


def _train(spec: Spec, console: Console, reporter: Reporter) -> None:
    from train import train

    folder = train(spec, reporter)
    reporter.emit("stage", stage="saving")
    archive = spec.run_dir / "adapter.zip"
    make_archive(folder, archive)
    checksums = {
        "X-Content-SHA256": sha256(archive),
        "X-Adapter-SHA256": sha256(folder / WEIGHTS),
    }
    reporter.flush()
    console.put_file("artifact", archive, checksums)


def make_archive(folder: Path, archive: Path) -> None:
    """A zip of a folder with equal bytes for equal files: fixed order and dates."""
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_STORED) as target:
        for path in sorted(p for p in folder.rglob("*") if p.is_file()):
            entry = zipfile.ZipInfo(str(path.relative_to(folder)))
            entry.external_attr = 0o644 << 16
            entry.file_size = path.stat().st_size
            with path.open("rb") as source, target.open(entry, "w") as written:
                while chunk := source.read(1024 * 1024):
                    written.write(chunk)


def sha256(file: Path) -> str:
    """SHA-256 of a file in hex."""
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()


def explain(error: BaseException) -> tuple[str, str]:
    """The kind of a failure, and a sentence for the job's owner."""
    text = f"{type(error).__name__}: {error}"
    if isinstance(error, BadData):
        return "bad_data", str(error)
    if isinstance(error, MemoryError) or "OutOfMemory" in type(error).__name__:
        words = "Choose a smaller batch_size or max_length, or a GPU with more memory."
        return "out_of_memory", f"The machine ran out of memory. {words}"
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        words = "Free some space on the trainer's disk and start again."
        return "disk_full", f"The disk is full: {error.strerror}. {words}"
    if type(error).__name__ == "ModelNotFound":
        return "model_not_found", str(error)
    return "trainer_error", f"The trainer failed. {text[:1000]}"
