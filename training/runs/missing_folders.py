"""Run folders that are gone all at once: most likely a disk that is not mounted.

A job whose checkpoints are only there must not start from the beginning: its metrics
would be replaced, and the folders deleted as left over once the disk is back.
"""

from collections.abc import Iterator

from django.conf import settings

from lora_pipeline.operations.diagnosis import Check, Finding, fault
from training.launchers import local
from training.models import TrainingJob

WAITING = "waiting: the folder of its checkpoints is not there; is its disk mounted?"


def are_all_gone() -> bool:
    """Whether there is no run folder of any job."""
    return not local.known_run_dirs()


def awaits_its_folder(job: TrainingJob) -> bool:
    """Whether a job would resume from a checkpoint, and no run folder is there."""
    return are_all_gone() and job.checkpoints.kept().newest_step() > 0


def examine() -> Iterator[Finding]:
    """The doctor's line, with what to do where the folders are lost for good."""
    if not are_all_gone():
        return
    for job in TrainingJob.objects.queued():
        if awaits_its_folder(job):
            words = f"job {job.pk} has checkpoints, and {settings.RUNS_DIR} is empty"
            made = local.run_dir(job.pk)
            remedy = f"mount its disk; if it is lost: mkdir {made}, and it starts anew"
            yield fault("runs", words, remedy)


CHECKS = [Check(examine, needs_database=True)]
