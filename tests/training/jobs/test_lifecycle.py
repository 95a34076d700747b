"""The table of transitions, in the domain and in the database alike."""

import pytest
from django.db import IntegrityError, transaction

from tests.factories import TrainingJobFactory
from training.domain import lifecycle
from training.domain.lifecycle import FINAL, STATUSES, TRANSITIONS, TransitionRefused
from training.jobs.transitions import move_to
from training.models import DeviceClaim, RunAttempt, TrainingJob

PAIRS = [(a, b) for a in STATUSES for b in STATUSES if a != b]


@pytest.mark.parametrize(("before", "after"), PAIRS)
def test_the_database_allows_what_the_table_allows(before, after, owner, dataset):
    job = TrainingJobFactory(user=owner, dataset=dataset, status=before)
    own = TrainingJob.objects.filter(pk=job.pk)
    if after in TRANSITIONS[before]:
        assert own.update(status=after) == 1
    else:
        with pytest.raises(IntegrityError, match="cannot become"), transaction.atomic():
            own.update(status=after)


def test_nothing_leads_out_of_an_end():
    assert all(not TRANSITIONS[status] for status in FINAL)
    assert set(TRANSITIONS) == set(STATUSES)


def test_services_refuse_before_the_database_has_to(owner, dataset):
    job = TrainingJobFactory(user=owner, dataset=dataset, status="completed")
    with pytest.raises(TransitionRefused, match="none, it has ended"):
        move_to(job, lifecycle.QUEUED, "again", by="test")
    assert not job.events.exists()


def test_a_transition_says_when_from_to_why_and_by_whom(owner, dataset):
    job = TrainingJobFactory(user=owner, dataset=dataset)
    move_to(job, lifecycle.PAUSED, "lunch", by="owner")
    event = job.events.get()
    told = (event.from_status, event.to_status, event.message, event.by)
    assert told == ("queued", "paused", "lunch", "owner")
    assert event.at is not None


def test_a_device_has_one_user_at_a_time(owner, dataset):
    attempts = [
        RunAttempt.objects.create(
            job=TrainingJobFactory(user=owner, dataset=dataset),
            number=1,
            token_hash=name,
        )
        for name in "ab"
    ]
    DeviceClaim.objects.create(backend="local", device="0", attempt=attempts[0])
    with pytest.raises(IntegrityError, match="device_claimed"), transaction.atomic():
        DeviceClaim.objects.create(backend="local", device="0", attempt=attempts[1])
