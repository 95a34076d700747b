"""Run folders for backups: checkpoints with rows, and running trainers."""

from collections.abc import Iterator
from pathlib import Path

from django.conf import settings

from lora_pipeline.files.folders import files_below
from training.launchers import local
from training.models import Checkpoint


def paths() -> Iterator[str]:
    """Files of the checkpoints that a job can resume from, below the run folders.

    A checkpoint without files is listed by its folder, so that the loss is reported.
    """
    for job, name in Checkpoint.objects.kept().values_list("job_id", "name"):
        folder = f"{job}/checkpoints/{name}"
        yield from _files_in(folder) or [folder]


def _files_in(folder: str) -> list[str]:
    root = Path(settings.RUNS_DIR)
    return [str(path.relative_to(root)) for path in files_below(root / folder)]


def busy() -> str:
    """Why a restore is not possible now; empty if it is."""
    for job_id in filter(local.is_alive, local.known_run_dirs()):
        return f"A trainer is still running in {local.run_dir(job_id)}. Stop it first."
    return ""
