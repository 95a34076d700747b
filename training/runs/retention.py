"""Which run folders and keys are kept no longer, and removing them."""

from datetime import datetime
from pathlib import Path

from django.utils import timezone

from lora_pipeline.operations.retention import Freed
from training.domain import lifecycle
from training.launchers import local
from training.models import Checkpoint, TrainingJob

WAITING = (lifecycle.QUEUED, lifecycle.INITIALIZING)


def remove_run_folders(before: datetime, *, dry_run: bool) -> Freed:
    """Checkpoints, data and logs of jobs that ended before a moment.

    The adapter, the metrics and the history are kept elsewhere. A folder stays while
    its trainer lives, or while another job is about to go on from a checkpoint in it.
    """
    freed = Freed("run folders of ended jobs")
    ended = TrainingJob.objects.filter(
        pk__in=local.known_run_dirs(),
        status__in=lifecycle.FINAL,
        completed_at__lt=before,
    )
    for job in ended.only("pk").iterator():
        folder = local.run_dir(job.pk)
        if not _is_needed(job):
            freed.add(folder_bytes(folder))
            if not dry_run:
                kept = Checkpoint.objects.kept().filter(job=job)
                kept.update(freed_at=timezone.now())
                local.remove_run_dir(job.pk)
    return freed


def _is_needed(job: TrainingJob) -> bool:
    waiting = job.continuations.filter(status__in=WAITING)
    return waiting.exists() or local.is_alive(job.pk)


def folder_bytes(folder: Path) -> int:
    """What the files below a folder take."""
    return sum(p.lstat().st_size for p in folder.rglob("*") if p.is_file())
