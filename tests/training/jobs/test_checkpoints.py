"""Checkpoints listed, freed, gone on from; the buttons of a job's page."""

import pytest
from django.test import Client

from tests.factories import TrainingJobFactory
from tests.openapi import conforms
from training.jobs.checkpoints import kept_checkpoints
from training.launchers import local
from training.models import Checkpoint, RunAttempt, TrainingJob


def with_checkpoints(job, *steps):
    attempt = RunAttempt.objects.create(job=job, number=1, token_hash=str(job.pk))
    for step in steps:
        name = f"checkpoint-{step}"
        folder = local.run_dir(job.pk) / "checkpoints" / name
        folder.mkdir(parents=True)
        (folder / "optimizer.pt").write_bytes(b"x" * 100)
        Checkpoint.objects.create(
            job=job, attempt=attempt, step=step, name=name, size_bytes=100
        )
    return job


@pytest.fixture
def make(owner, dataset):
    def made(status, *steps, **fields):
        job = TrainingJobFactory(user=owner, dataset=dataset, status=status, **fields)
        return with_checkpoints(job, *steps)

    return made


def folders(job) -> set[str]:
    return {p.name for p in (local.run_dir(job.pk) / "checkpoints").iterdir()}


def test_freeing_removes_the_files_and_keeps_the_row(
    make, browser_of_owner, django_capture_on_commit_callbacks
):
    job = make("completed", 20, 40)
    page = browser_of_owner.get(job.get_absolute_url()).content.decode()
    assert "Step 20" in page
    with django_capture_on_commit_callbacks(execute=True):
        browser_of_owner.post(f"{job.get_absolute_url()}/free", {"step": 20})
    assert folders(job) == {"checkpoint-40"}
    assert [c.step for c in kept_checkpoints(job)] == [40]
    assert job.checkpoints.get(step=20).freed_at is not None
    assert job.events.filter(message__contains="step 20 deleted by owner").exists()
    page = browser_of_owner.get(job.get_absolute_url()).content.decode()
    assert "Step 20" not in page


@pytest.mark.django_db(transaction=True)
def test_a_checkpoint_whose_files_cannot_be_removed_is_still_freed(make, api):
    job = make("completed", 20, 40)
    job.checkpoints.filter(step=20).update(name="no such name")
    answer = api.post(f"/api/jobs/{job.pk}/checkpoints/20/free")
    assert answer.status_code == 200
    assert job.checkpoints.get(step=20).freed_at is not None


@pytest.mark.parametrize(
    ("status", "step", "answer"),
    [
        ("running", 20, 409),
        ("paused", 40, 409),
        ("paused", 20, 200),
        ("failed", 40, 200),
        ("failed", 30, 404),
    ],
)
def test_what_is_needed_is_not_freed(make, api, status, step, answer):
    job = make(status, 20, 40)
    described = "/api/jobs/{job_id}/checkpoints/{step}/free"
    found = api.post(f"/api/jobs/{job.pk}/checkpoints/{step}/free")
    assert found.status_code == answer
    conforms(found, "POST", described)


def test_one_that_another_job_goes_on_from_is_kept(make, api, owner, dataset):
    job = make("failed", 20)
    TrainingJobFactory(user=owner, dataset=dataset, continued_from=job, start_step=20)
    found = api.post(f"/api/jobs/{job.pk}/checkpoints/20/free")
    assert found.json()["error"].endswith("Another job will resume from it.")


def test_the_list_by_api_says_sizes_and_what_is_needed(make, api):
    job = make("paused", 20, 40)
    path = "/api/jobs/{job_id}/checkpoints"
    data = conforms(api.get(f"/api/jobs/{job.pk}/checkpoints"), "GET", path)["data"]
    assert data["total_bytes"] == 200
    assert [bool(c["is_needed"]) for c in data["checkpoints"]] == [True, False]


def test_only_a_checkpoints_folder_is_removed(make):
    job = make("failed", 20)
    for name in ("..", "../..", "checkpoint-1/..", "", "checkpoint-20x"):
        with pytest.raises(ValueError, match="is not a checkpoint name"):
            local.remove_checkpoint(job.pk, name)
    assert folders(job) == {"checkpoint-20"}


def test_a_queued_job_is_paused_and_resumed_from_its_page(make, browser_of_owner):
    job = make("queued")
    path = job.get_absolute_url()
    assert "Pause</button>" in browser_of_owner.get(path).content.decode()
    browser_of_owner.post(f"{path}/pause")
    job.refresh_from_db()
    assert job.status == "paused"
    assert "Resume</button>" in browser_of_owner.get(path).content.decode()
    browser_of_owner.post(f"{path}/resume")
    job.refresh_from_db()
    assert job.status == "queued"


def test_every_change_of_state_stands_in_the_history(make, browser_of_owner):
    job = make("queued")
    browser_of_owner.post(f"{job.get_absolute_url()}/pause")
    text = browser_of_owner.get(job.get_absolute_url()).content.decode()
    assert "queued → <b>paused</b>" in text
    assert "by owner" in text


def test_a_job_at_its_cap_is_resumed_with_a_higher_one(make, browser_of_owner):
    job = make("paused", 20, max_cost=1, running_seconds=3600, usd_per_gpu_hour=2)
    path = job.get_absolute_url()
    assert 'name="max_cost"' in browser_of_owner.get(path).content.decode()
    page = browser_of_owner.post(f"{path}/resume", {"max_cost": "1"}, follow=True)
    assert "Set a higher max_cost" in page.content.decode()
    browser_of_owner.post(f"{path}/resume", {"max_cost": "5"})
    job.refresh_from_db()
    assert (job.status, job.max_cost) == ("queued", 5)


def test_a_failure_offers_its_change_and_starts_again_with_it(make, browser_of_owner):
    job = make(
        "failed",
        error_message="The machine ran out of memory.",
        suggestion={
            "kind": "out_of_memory",
            "words": "Halve the batch.",
            "changes": {"batch_size": 2},
        },
    )
    path = job.get_absolute_url()
    page = browser_of_owner.get(path).content.decode()
    assert "Halve the batch." in page
    assert "Start again with batch_size 2" in page
    answer = browser_of_owner.post(f"{path}/retry", {"apply_suggestion": "1"})
    new = TrainingJob.objects.exclude(pk=job.pk).get()
    assert answer.url == new.get_absolute_url()
    assert new.hyperparameters["batch_size"] == 2


def test_an_ended_job_is_continued_from_a_checkpoint(make, browser_of_owner):
    job = make("cancelled", 20, 40)
    path = job.get_absolute_url()
    browser_of_owner.post(f"{path}/continue", {"step": "20"})
    new = TrainingJob.objects.exclude(pk=job.pk).get()
    assert (new.continued_from_id, new.start_step) == (job.pk, 20)
    page = browser_of_owner.post(f"{path}/continue", {"step": "x"}, follow=True)
    assert "Choose one of the checkpoints" in page.content.decode()


def test_a_stranger_can_do_nothing(make, stranger, stranger_api):
    job = make("paused", 20, 40)
    client = Client()
    client.force_login(stranger)
    for name in ("pause", "resume", "retry", "continue", "free"):
        path = f"{job.get_absolute_url()}/{name}"
        assert client.post(path, {"step": 20}).status_code == 404
    assert stranger_api.get(f"/api/jobs/{job.pk}/checkpoints").status_code == 404
    path = f"/api/jobs/{job.pk}/checkpoints/20/free"
    assert stranger_api.post(path).status_code == 404
    job.refresh_from_db()
    assert job.status == "paused"
    assert folders(job) == {"checkpoint-20", "checkpoint-40"}
