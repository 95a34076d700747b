"""Who starts on what, what the others are told, and when a run counts as stalled."""

import errno
from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from tests.factories import TrainingJobFactory
from training.launchers import local
from training.models import DeviceClaim, GpuOffer, RunAttempt
from training.runs.dispatch import begin_attempt, free_devices, not_started
from training.runs.outcomes import end_attempt
from training.runs.reconciler import close_lost, release_devices, stalled_words
from training.runs.waiting import note_waiting

GPU = "A100-80GB"
HOUR = 3600


@pytest.fixture
def offer(db):
    return GpuOffer.objects.create(
        backend="local",
        gpu_type_id=GPU,
        count=2,
        devices=["3", "5"],
        seen_at=timezone.now(),
    )


def queued(user, minutes=0, count=1, **fields):
    at = timezone.now() + timedelta(minutes=minutes)
    config = {"type": GPU, "count": count}
    return TrainingJobFactory(user=user, gpu_config=config, queued_at=at, **fields)


def test_an_attempt_keeps_the_devices_that_it_was_given(offer, owner):
    job = queued(owner)
    attempt = begin_attempt(job.pk, "token", ["3"])
    assert attempt.devices == ["3"]
    assert local.visible_devices(attempt.devices) == "3"
    assert free_devices() == {GPU: ["5"]}


def test_a_run_on_the_processor_sees_no_gpu():
    assert local.visible_devices(["cpu-0"]) == ""


def test_nobody_gets_a_device_that_somebody_has(offer, owner):
    first, second = queued(owner), queued(owner)
    begin_attempt(first.pk, "a", ["3"])
    with pytest.raises(IntegrityError), transaction.atomic():
        begin_attempt(second.pk, "b", ["3"])
    second.refresh_from_db()
    assert second.status == "queued"


def test_a_job_begins_one_attempt_however_many_try(offer, owner):
    job = queued(owner)
    assert begin_attempt(job.pk, "a", ["3"]) is not None
    assert begin_attempt(job.pk, "b", ["5"]) is None


def test_devices_come_free_when_the_attempt_has_ended_and_its_process_is_gone(
    offer, owner
):
    attempt = begin_attempt(queued(owner).pk, "a", ["3"])
    release_devices()
    assert DeviceClaim.objects.count() == 1
    end_attempt(attempt, "completed")
    release_devices()
    assert not DeviceClaim.objects.exists()


def test_what_could_not_start_frees_its_devices_at_once(offer, owner):
    attempt = begin_attempt(queued(owner).pk, "a", ["3"])
    not_started(attempt.pk, OSError(errno.ENOSPC, "No space left on device"))
    attempt.refresh_from_db()
    assert (attempt.job.status, attempt.job.failure_kind) == ("failed", "disk_full")
    assert free_devices() == {GPU: ["3", "5"]}


def test_waiting_jobs_are_told_their_place_and_their_start(offer, owner, stranger):
    jobs = [
        queued(owner, 0, count=2, estimated_hours=2),
        queued(owner, 1, count=1, estimated_hours=1),
        queued(stranger, 2, count=1, estimated_hours=1),
    ]
    note_waiting()
    for job in jobs:
        job.refresh_from_db()
    assert [job.queue_position for job in jobs] == [1, 3, 2]
    hours = [
        round((job.expected_start_at - timezone.now()).total_seconds() / HOUR, 2)
        for job in jobs
    ]
    assert hours == [0, 2, 2]
    assert jobs[1].status_note == f"waiting for a free {GPU}"


def test_a_job_that_nothing_fits_has_no_expected_start(offer, owner):
    job = queued(owner, count=3)
    note_waiting()
    job.refresh_from_db()
    assert job.expected_start_at is None
    assert job.status_note == f"waiting for a machine that offers 3 x {GPU}"


@pytest.fixture
def attempt(offer, owner):
    attempt = begin_attempt(queued(owner).pk, "a", ["3"])
    long_ago = timezone.now() - timedelta(hours=1)
    RunAttempt.objects.filter(pk=attempt.pk).update(launched_at=long_ago)
    attempt.refresh_from_db()
    return attempt


def test_silence_is_a_stall_unless_the_trainer_shows_that_it_lives(attempt):
    now = timezone.now()
    assert "no heartbeat for 3600 s" in stalled_words(attempt, now)
    attempt.last_event_at = attempt.last_progress_at = now - timedelta(seconds=599)
    assert not stalled_words(attempt, now)
    attempt.last_event_at = attempt.last_progress_at = now - timedelta(seconds=601)
    assert stalled_words(attempt, now)
    folder = local.attempt_dir(attempt.job_id, attempt.pk)
    folder.mkdir(parents=True)
    (folder / "heartbeat").touch()
    assert not stalled_words(attempt, now)


def test_saying_only_that_it_lives_is_a_stall_too_after_two_hours(attempt):
    now = timezone.now()
    attempt.last_event_at = now
    attempt.last_progress_at = now - timedelta(seconds=7199)
    attempt.launched_at = attempt.created_at = attempt.last_progress_at
    assert not stalled_words(attempt, now)
    attempt.launched_at = attempt.last_progress_at = now - timedelta(seconds=7201)
    assert "made no progress for 7201 s" in stalled_words(attempt, now)


def test_an_attempt_that_never_started_costs_no_try(offer, owner):
    attempt = begin_attempt(queued(owner).pk, "a", ["3"])
    close_lost(attempt.pk)
    attempt.refresh_from_db()
    assert (attempt.outcome, attempt.job.status) == ("not_started", "queued")
    assert attempt.job.retry_count == 0


def test_a_lost_run_whose_output_shows_a_full_disk_is_not_tried_again(attempt):
    log = local.output_log(attempt.job_id, attempt.pk)
    log.parent.mkdir(parents=True, exist_ok=True)
    log.write_text("OSError: [Errno 28] No space left on device")
    close_lost(attempt.pk)
    attempt.refresh_from_db()
    assert (attempt.job.status, attempt.job.failure_kind) == ("failed", "disk_full")
    assert "No space left" in attempt.log_tail


@pytest.mark.parametrize("asked", ["cancel_requested_at", "pause_requested_at"])
def test_not_stopping_when_asked_to_is_a_stall_however_busy_it_is(asked, attempt):
    now = timezone.now()
    attempt.last_event_at = attempt.last_progress_at = now
    setattr(attempt.job, asked, now - timedelta(seconds=599))
    assert not stalled_words(attempt, now)
    setattr(attempt.job, asked, now - timedelta(seconds=601))
    assert "did not stop within 601 s" in stalled_words(attempt, now)


def test_an_attempt_that_began_after_the_request_has_its_own_time(attempt):
    now = timezone.now()
    attempt.job.cancel_requested_at = now - timedelta(hours=2)
    attempt.last_event_at = attempt.last_progress_at = now
    attempt.launched_at = now - timedelta(seconds=10)
    assert not stalled_words(attempt, now)
