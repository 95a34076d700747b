"""Retention of run folders: which have expired, and removing them."""

from datetime import datetime
from pathlib import Path

from django.utils import timezone

from lora_pipeline.operations.retention import Freed
from training.domain import lifecycle
from training.launchers import local
from training.models import Checkpoint, TrainingJob

WAITING = (lifecycle.QUEUED, lifecycle.INITIALIZING)


def remove_run_folders(before: datetime, *, dry_run: bool) -> Freed:
    """Checkpoints, data and logs of jobs that ended before a point in time.

    Adapters, metrics and history are stored elsewhere. A folder stays while its trainer
    is running, or while another job will resume from one of its checkpoints.
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
    """Size of the files below a folder."""
    return sum(p.lstat().st_size for p in folder.rglob("*") if p.is_file())
