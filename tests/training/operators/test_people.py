"""A user who is disabled with jobs under way, and who can help the others."""

import pytest
from django.test import Client

from tests.factories import TrainingJobFactory, UserFactory
from training.models import TrainingJob
from training.operators import people


@pytest.fixture
def root(db) -> Client:
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True, username="root"))
    return client


def disable(client: Client, user, **more: str):
    body = {"username": user.username, "monthly_budget_usd": "", **more}
    return client.post(f"/admin/lora_pipeline/user/{user.pk}/change/", body)


def state_of(user) -> tuple[bool, list[str]]:
    user.refresh_from_db()
    jobs = TrainingJob.objects.filter(user=user).order_by("name")
    return user.is_active, [job.status for job in jobs]


@pytest.fixture
def busy(owner):
    TrainingJobFactory(user=owner, name="a queued one", status="queued")
    TrainingJobFactory(user=owner, name="b ended", status="completed")
    return owner


def test_the_operator_is_asked_whether_jobs_go_on(root, busy):
    answer = disable(root, busy)
    assert "has 1 open job (a queued one)" in answer.content.decode()
    assert state_of(busy) == (True, ["queued", "completed"])


def test_they_go_on_where_that_is_chosen_and_doctor_tells(root, busy):
    assert list(people.left_running()) == []
    assert disable(root, busy, open_jobs="keep").status_code == 302
    assert state_of(busy) == (False, ["queued", "completed"])
    [found] = people.left_running()
    assert (found.level, found.words) == ("warning", "1 open job of disabled users")


def test_they_are_cancelled_where_that_is_chosen(root, busy):
    assert disable(root, busy, open_jobs="cancel").status_code == 302
    assert state_of(busy) == (False, ["cancelled", "completed"])


def test_who_has_no_open_job_is_not_asked_about(root, owner):
    assert disable(root, owner).status_code == 302
    assert state_of(owner) == (False, [])


def test_doctor_says_when_nobody_can_help(db):
    [found] = people.helpers()
    assert (found.level, "createsuperuser" in found.remedy) == ("warning", True)
    UserFactory(is_superuser=True, password="correct horse battery")
    [found] = people.helpers()
    assert found.level == "ok"
