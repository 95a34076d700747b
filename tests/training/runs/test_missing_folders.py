"""A disk of run folders that is not mounted costs no checkpoint and no metric."""

import pytest
from django.utils import timezone

from tests.factories import TrainingJobFactory
from training.launchers import local
from training.models import Checkpoint, GpuOffer, GpuType, RunAttempt
from training.runs import missing_folders
from training.runs.dispatch import launch_queued
from training.runs.waiting import note_waiting


@pytest.fixture
def job(db, monkeypatch):
    """A job that resumes at step 20, on a machine with a free processor."""
    monkeypatch.setattr(local, "launch", lambda what: None)
    GpuOffer.objects.update_or_create(
        backend="local",
        gpu_type=GpuType.objects.get(pk="CPU"),
        defaults={"count": 1, "devices": ["cpu-0"], "seen_at": timezone.now()},
    )
    job = TrainingJobFactory(status="queued", gpu_config={"type": "CPU", "count": 1})
    first = RunAttempt.objects.create(
        job=job, number=1, token_hash="x", outcome="lost", ended_at=job.created_at
    )
    kept = {"step": 20, "name": "checkpoint-20", "size_bytes": 1}
    Checkpoint.objects.create(job=job, attempt=first, **kept)
    return job


def test_it_waits_with_a_word_and_keeps_its_checkpoint(job):
    launch_queued()
    note_waiting()
    job.refresh_from_db()
    assert job.status == "queued"
    assert "is its disk mounted" in job.status_note
    assert job.checkpoints.kept().newest_step() == 20
    [finding] = missing_folders.examine()
    assert finding.level == "fault"
    assert f"mkdir {local.run_dir(job.pk)}" in finding.remedy


def test_it_goes_on_when_the_folders_are_back(job):
    local.run_dir(job.pk).mkdir(parents=True)
    assert list(missing_folders.examine()) == []
    launch_queued()
    job.refresh_from_db()
    assert (job.status, job.current_step) == ("initializing", 20)


def test_a_job_without_a_checkpoint_waits_for_nothing(job):
    job.checkpoints.all().delete()
    launch_queued()
    job.refresh_from_db()
    assert job.status == "initializing"
