"""What operators do to jobs from the admin's list."""

import pytest
from django.contrib.auth.models import Permission
from django.test import Client

from tests.factories import TrainingJobFactory, UserFactory
from training.models import TrainingJob


@pytest.fixture
def operator(db):
    user = UserFactory(username="operator", is_staff=True)
    names = ["view_trainingjob", "change_trainingjob"]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(user)
    return client


def act(client, name, *jobs):
    body = {"action": name, "_selected_action": [str(job.pk) for job in jobs]}
    return client.post("/admin/training/trainingjob/", body, follow=True)


@pytest.fixture
def job(owner, dataset):
    return TrainingJobFactory(user=owner, dataset=dataset, name="my job")


@pytest.mark.parametrize(
    ("action", "status"), [("pause", "paused"), ("cancel", "cancelled")]
)
def test_an_operator_stops_anybodys_job(action, status, operator, job):
    page = act(operator, action, job).content.decode()
    job.refresh_from_db()
    assert job.status == status
    assert "1 done" in page
    assert job.events.last().by == "operator"


def test_an_operator_resumes_and_prefers(operator, job):
    act(operator, "pause", job)
    job.refresh_from_db()
    assert job.pause_reason == "operator"
    act(operator, "resume", job)
    act(operator, "priority_high", job)
    job.refresh_from_db()
    assert (job.status, job.priority) == ("queued", 3)


def test_a_job_started_again_stays_its_owners(operator, owner, job):
    act(operator, "cancel", job)
    act(operator, "start_again", job)
    new = TrainingJob.objects.get(continued_from=job)
    assert (new.user, new.status) == (owner, "queued")


def test_a_refusal_is_told_and_holds_up_no_other(operator, owner, dataset, job):
    other = TrainingJobFactory(user=owner, dataset=dataset, status="completed")
    page = act(operator, "pause", job, other).content.decode()
    assert "only an open job can pause" in page
    job.refresh_from_db()
    assert job.status == "paused"


def test_who_may_only_look_cannot_steer(db, job):
    user = UserFactory(is_staff=True)
    look = Permission.objects.get(codename="view_trainingjob")
    user.user_permissions.set([look])
    client = Client()
    client.force_login(user)
    assert client.get("/admin/training/trainingjob/").status_code == 200
    act(client, "cancel", job)
    job.refresh_from_db()
    assert job.status == "queued"
