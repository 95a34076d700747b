"""What goes after its time, and what stays whatever its age."""

import io
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.management import call_command
from django.utils import timezone

from datasets.models import Dataset
from datasets.retention import paths_of
from lora_pipeline.operations import retention
from notifications.models import Delivery, Notification
from tests.factories import DatasetFactory, TrainingJobFactory
from training.launchers import local
from training.models import Checkpoint, IdempotencyKey, RunAttempt, TrainingJob

LONG_AGO = timezone.now() - timedelta(days=400)


def freed() -> dict[str, tuple[int, int]]:
    return {f.what: (f.count, f.size_bytes) for f in retention.clean_up()}


@pytest.fixture
def deleted(owner):
    dataset = DatasetFactory(user=owner, deleted_at=LONG_AGO, sample_data=[{"a": 1}])
    dataset.storage_path = f"datasets/{dataset.pk}/original"
    dataset.save()
    for path in paths_of(dataset):
        default_storage.save(path, ContentFile(b"private"))
    return dataset


@pytest.fixture
def ended(owner):
    job = TrainingJobFactory(user=owner, status="completed", completed_at=LONG_AGO)
    attempt = RunAttempt.objects.create(job=job, number=1, token_hash="t")
    Checkpoint.objects.create(
        job=job, attempt=attempt, step=20, name="checkpoint-20", size_bytes=3
    )
    folder = local.run_dir(job.pk) / "checkpoints" / "checkpoint-20"
    folder.mkdir(parents=True)
    (folder / "state").write_text("abc")
    return job


def test_files_of_a_dataset_deleted_long_ago_go(deleted, browser_of_owner):
    paths = paths_of(deleted)
    assert freed()["deleted datasets"] == (1, len(paths) * len(b"private"))
    assert not [path for path in paths if default_storage.exists(path)]
    deleted.refresh_from_db()
    assert (deleted.sample_data, deleted.storage_path) == ([], "")
    assert not deleted.training_ready
    assert browser_of_owner.post(f"/datasets/{deleted.pk}/restore").status_code == 404
    assert freed()["deleted datasets"] == (0, 0)


def test_a_dataset_deleted_lately_or_never_keeps_its_files(deleted):
    for moment in (timezone.now() - timedelta(days=29), None):
        Dataset.objects.filter(pk=deleted.pk).update(deleted_at=moment)
        assert freed()["deleted datasets"] == (0, 0)
    assert all(default_storage.exists(path) for path in paths_of(deleted))


def test_a_dataset_that_an_open_job_uses_keeps_its_files(deleted):
    job = TrainingJobFactory(user=deleted.user, dataset=deleted, status="queued")
    assert freed()["deleted datasets"] == (0, 0)
    TrainingJob.objects.filter(pk=job.pk).update(status="cancelled")
    assert freed()["deleted datasets"][0] == 1


def test_the_run_folder_of_a_job_that_ended_long_ago_goes(ended):
    assert freed()["run folders of ended jobs"] == (1, 3)
    assert not local.run_dir(ended.pk).exists()
    assert not ended.checkpoints.kept().exists()


def test_a_run_folder_that_another_job_goes_on_from_stays(ended):
    TrainingJobFactory(user=ended.user, continued_from=ended, status="queued")
    assert freed()["run folders of ended jobs"] == (0, 0)
    assert local.run_dir(ended.pk).exists()


@pytest.mark.parametrize("status", ["running", "paused", "queued"])
def test_the_run_folder_of_an_open_job_stays(ended, status):
    other = TrainingJobFactory(user=ended.user, status=status, completed_at=LONG_AGO)
    local.run_dir(other.pk).mkdir()
    freed()
    assert local.run_dir(other.pk).exists()


def test_old_notices_keys_and_settled_deliveries_go(owner):
    notice = Notification.objects.create(user=owner, type="x", title="x", message="x")
    kept = Delivery.objects.create(notification=notice, channel="email", target="a@b.c")
    Delivery.objects.create(
        notification=notice, channel="email", target="a@b.c", status="failed"
    )
    old = Notification.objects.create(user=owner, type="x", title="x", message="x")
    key = IdempotencyKey.objects.create(user=owner, key="k", body_sha256="0")
    for rows in (
        Delivery.objects.all(),
        IdempotencyKey.objects.filter(pk=key.pk),
        Notification.objects.filter(pk=old.pk),
    ):
        rows.update(created_at=LONG_AGO)
    found = freed()
    assert found["deliveries"] == (1, 0)
    assert found["notices"] == (1, 0)
    assert found["idempotency keys"] == (1, 0)
    assert list(Delivery.objects.all()) == [kept]
    assert list(Notification.objects.all()) == [notice]


def test_a_dry_run_says_it_and_removes_nothing(deleted, ended):
    said = io.StringIO()
    call_command("clean_up", "--dry-run", stdout=said)
    assert "would remove 1 deleted datasets" in said.getvalue()
    assert "would remove 1 run folders" in said.getvalue()
    assert all(default_storage.exists(path) for path in paths_of(deleted))
    assert local.run_dir(ended.pk).exists()
    assert ended.checkpoints.kept().exists()


def test_zero_days_keep_for_ever(deleted, ended, settings):
    settings.RETENTION_DELETED_DATASET_DAYS = settings.RETENTION_RUN_DAYS = 0
    found = freed()
    assert "deleted datasets" not in found
    assert local.run_dir(ended.pk).exists()


def test_a_rule_that_fails_holds_up_none_of_the_others(ended, monkeypatch):
    def fail(before, *, dry_run):
        raise OSError("away")

    monkeypatch.setattr("datasets.retention.remove_deleted_files", fail)
    assert freed()["run folders of ended jobs"][0] == 1
