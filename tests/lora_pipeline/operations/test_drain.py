"""A machine that drains starts nothing, says so, and ends what runs."""

import io

import pytest
from django.core.management import CommandError, call_command
from django.utils import timezone

from tests.factories import TrainingJobFactory
from training.launchers import local
from training.models import GpuOffer, Machine
from training.runs import dispatch, draining, heartbeat, waiting


@pytest.fixture
def started(db, monkeypatch):
    """Job ids that dispatch starts; their processes are other tests' matter."""
    GpuOffer.objects.create(
        backend="local", gpu_type_id="H100", count=1, seen_at=timezone.now()
    )
    found = []
    monkeypatch.setattr(local, "launch", lambda what: found.append(what.job_id))
    return found


def queued(owner):
    config = {"type": "H100", "count": 1}
    return TrainingJobFactory(user=owner, status="queued", gpu_config=config)


def test_a_draining_machine_starts_nothing_and_the_job_says_why(started, owner):
    job = queued(owner)
    draining.drain(by="test")
    dispatch.launch_queued()
    waiting.note_waiting()
    job.refresh_from_db()
    assert (started, job.status) == ([], "queued")
    assert "draining" in job.status_note
    assert job.expected_start_at is None


def test_undone_it_starts_what_waits(started, owner):
    job = queued(owner)
    draining.drain(by="test")
    draining.undrain(by="test")
    dispatch.launch_queued()
    assert started == [job.pk]


def test_what_runs_goes_on_and_the_command_says_how_many(started, owner):
    queued(owner)
    dispatch.launch_queued()
    said = io.StringIO()
    call_command("drain", stdout=said)
    assert "1 runs are still in progress" in said.getvalue()
    with pytest.raises(CommandError, match="1 runs are still in progress"):
        call_command("drain", "--wait", "0.1", stdout=said)


def test_draining_twice_keeps_who_began_and_when(db):
    first = draining.drain(by="ada")
    second = draining.drain(by="bob")
    assert (second.drained_by, second.draining_since) == ("ada", first.draining_since)


def test_undo_by_command_lets_it_start_again(db):
    call_command("drain", stdout=io.StringIO())
    assert draining.is_draining()
    call_command("drain", "--undo", stdout=io.StringIO())
    assert not draining.is_draining()


def test_a_beat_is_written_once_in_a_while_and_keeps_the_drain(db):
    draining.drain(by="ada")
    heartbeat.beat()
    first = Machine.objects.get()
    heartbeat.beat()
    assert Machine.objects.get().seen_at == first.seen_at
    assert first.is_draining
    assert first.hostname
