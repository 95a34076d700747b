"""What operators do to jobs from the admin's list."""

import pytest
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Permission
from django.test import Client

from tests.factories import (
    AdapterFactory,
    DatasetFactory,
    TrainingJobFactory,
    UserFactory,
    bring_to,
)
from training.models import Machine, RunAttempt, TrainingJob
from training.runs.draining import is_draining

EACH = {
    "cancel": "cancel",
    "pause": "pause",
    "resume": "resume",
    "start_again": "retry",
    "continue_from_the_last_checkpoint": "retry",
    "priority_high": "prioritise",
    "priority_normal": "prioritise",
    "priority_low": "prioritise",
}


def staff(*verbs: str) -> Client:
    """Staff who may see jobs and do what is named."""
    user = UserFactory(is_staff=True)
    names = [f"{verb}_trainingjob" for verb in ("view", *verbs)]
    user.user_permissions.set(Permission.objects.filter(codename__in=names))
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def operator(db):
    client = staff(*EACH.values())
    client.user = UserFactory._meta.model.objects.get(is_staff=True)
    return client


def act(client, name, *rows, confirmed=True, model="training/trainingjob"):
    body = {"action": name, "_selected_action": [str(row.pk) for row in rows]}
    if confirmed:
        body["confirmed"] = "1"
    return client.post(f"/admin/{model}/", body, follow=True)


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
    assert job.events.last().by == operator.user.username
    assert LogEntry.objects.get().user == operator.user


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
    assert new.events.get().by == operator.user.username
    assert new.events.get().message == "queued for its owner by an operator"


def test_a_refusal_is_told_and_holds_up_no_other(operator, owner, dataset, job):
    other = TrainingJobFactory(user=owner, dataset=dataset, status="completed")
    page = act(operator, "pause", job, other).content.decode()
    assert "Only an open job can be paused" in page
    job.refresh_from_db()
    assert job.status == "paused"


@pytest.mark.parametrize("asked", ["cancel", "pause"])
def test_the_timeline_says_who_asked_a_run_to_stop(asked, operator, job):
    bring_to(job, "initializing", "running")
    act(operator, asked, job)
    job.refresh_from_db()
    event = job.events.last()
    assert (job.status, event.message) == ("running", f"{asked} requested")
    assert event.by == operator.user.username
    page = operator.get(f"/admin/training/trainingjob/{job.pk}/change/")
    assert f"{asked} requested" in page.content.decode()


@pytest.mark.parametrize("name", ["cancel", "start_again"])
def test_what_destroys_or_costs_asks_first(name, operator, job):
    if name == "start_again":
        bring_to(job, "cancelled")
    page = act(operator, name, job, confirmed=False).content.decode()
    assert "Yes, 1 of them" in page
    assert "my job" in page
    assert not job.events.exists()
    assert TrainingJob.objects.count() == 1


@pytest.mark.parametrize("name", EACH)
def test_each_action_needs_its_own_permission(name, db, job):
    others = staff(*set(EACH.values()) - {EACH[name]})
    shown = others.get("/admin/training/trainingjob/").content.decode()
    assert f'value="{name}"' not in shown
    before = TrainingJob.objects.values().get()
    act(others, name, job)
    assert TrainingJob.objects.values().get() == before
    alone = staff(EACH[name])
    shown = alone.get("/admin/training/trainingjob/").content.decode()
    assert f'value="{name}"' in shown


def test_refusals_are_told_by_reason_with_some_names(operator, owner, dataset):
    common = {"user": owner, "dataset": dataset, "status": "completed"}
    ended = TrainingJobFactory.create_batch(7, **common)
    page = act(operator, "cancel", *ended).content.decode()
    assert "Cancel: 7 not done (" in page
    assert "and 2 more). The job has already ended: it is completed." in page
    assert "done.</li>" not in page


def test_no_more_than_a_bounded_number_at_once(operator, job, monkeypatch):
    monkeypatch.setattr("lora_pipeline.admin_site.bulk_actions.MOST_AT_ONCE", 1)
    other = TrainingJobFactory(user=job.user, dataset=job.dataset)
    page = act(operator, "pause", job, other).content.decode()
    assert "more than 1 rows are selected. Select fewer" in page
    job.refresh_from_db()
    assert job.status == "queued"


def test_who_may_only_look_cannot_steer(db, job):
    client = staff()
    assert client.get("/admin/training/trainingjob/").status_code == 200
    act(client, "cancel", job)
    job.refresh_from_db()
    assert job.status == "queued"


@pytest.fixture
def root(db):
    client = Client()
    client.force_login(UserFactory(is_staff=True, is_superuser=True, username="root"))
    return client


def test_datasets_are_put_out_of_sight_and_back_by_the_service(root, owner):
    dataset = DatasetFactory(user=owner)
    act(root, "delete", dataset, model="datasets/dataset")
    dataset.refresh_from_db()
    assert dataset.deleted_at is not None
    again = act(root, "delete", dataset, model="datasets/dataset").content.decode()
    assert "It is already deleted." in again
    act(root, "restore", dataset, model="datasets/dataset")
    dataset.refresh_from_db()
    assert dataset.deleted_at is None


def test_an_adapter_is_deleted_by_the_service_and_the_job_says_by_whom(root, job):
    adapter = AdapterFactory(job=job)
    act(root, "delete", adapter, model="training/adapter")
    adapter.refresh_from_db()
    assert adapter.deleted_at is not None
    assert "deleted by root" in job.events.get().message


def test_a_key_is_revoked_for_good(root, api, owner):
    key = owner.api_keys.get()
    assert api.get("/api/jobs").status_code == 200
    act(root, "revoke", key, model="lora_pipeline/apikey")
    assert api.get("/api/jobs").status_code == 401
    page = act(root, "revoke", key, model="lora_pipeline/apikey").content.decode()
    assert "It is already revoked." in page


def test_a_machine_is_drained_and_put_back_to_work(root):
    machine = Machine.objects.create(name="local")
    asked = act(root, "drain", machine, confirmed=False, model="training/machine")
    assert "Yes, 1 of them" in asked.content.decode()
    assert not is_draining("local")
    act(root, "drain", machine, model="training/machine")
    machine.refresh_from_db()
    assert (machine.is_draining, machine.drained_by) == (True, "root")
    act(root, "back_to_work", machine, model="training/machine")
    assert not is_draining("local")


def test_draining_needs_its_permission(db):
    machine = Machine.objects.create(name="local")
    user = UserFactory(is_staff=True)
    look = Permission.objects.get(codename="view_machine")
    user.user_permissions.set([look])
    client = Client()
    client.force_login(user)
    act(client, "drain", machine, model="training/machine")
    assert not is_draining("local")
    user.user_permissions.add(Permission.objects.get(codename="drain_machine"))
    act(client, "drain", machine, model="training/machine")
    assert is_draining("local")


def test_attempts_have_no_actions(root, job):
    RunAttempt.objects.create(job=job, number=1, token_hash="x")
    page = root.get("/admin/training/runattempt/").content.decode()
    assert '<select name="action"' not in page
