"""The operators' page of the fleet."""

from datetime import timedelta
from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from tests.factories import TrainingJobFactory, UserFactory, bring_to
from tests.training.rows import add_rows
from training.models import (
    CalibrationScore,
    CostRecord,
    DeviceClaim,
    GpuOffer,
    RunAttempt,
)
from training.operators import fleet
from training.runs.draining import drain


@pytest.fixture
def operator(db) -> Client:
    """Staff with the one permission: permissions are then asked of the database."""
    user = UserFactory(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_fleet"))
    client = Client()
    client.force_login(user)
    return client


def test_slots_are_used_or_free_and_say_by_what(db, job):
    GpuOffer.objects.create(
        backend="local", gpu_type_id="H100", count=2, devices=["4", "5"],
        seen_at=timezone.now(),
    )  # fmt: skip
    bring_to(job, "initializing")
    attempt = RunAttempt.objects.create(job=job, number=1, token_hash="x")
    DeviceClaim.objects.create(backend="local", device="5", attempt=attempt)
    DeviceClaim.objects.create(backend="elsewhere", device="4", attempt=attempt)
    (offer,) = fleet.machines()
    assert not offer.is_draining
    drain(machine="local", by="root")
    assert fleet.machines()[0].is_draining
    assert (offer.used, offer.free) == (1, 1)
    assert [slot.device for slot in offer.slots] == ["4", "5"]
    assert [slot.job and slot.job["name"] for slot in offer.slots] == [None, job.name]


def test_the_queue_is_in_the_order_of_expected_starts(owner, dataset):
    soon = timezone.now() + timedelta(minutes=1)
    common = {"user": owner, "dataset": dataset}
    TrainingJobFactory(**common, name="never", queue_position=1)
    TrainingJobFactory(
        **common, name="later", expected_start_at=soon + timedelta(hours=1)
    )
    TrainingJobFactory(**common, name="soon", expected_start_at=soon)
    TrainingJobFactory(**common, name="runs", status="running")
    TrainingJobFactory(**common, name="rests", status="paused")
    TrainingJobFactory(**common, name="ended", status="completed")
    jobs = fleet.open_jobs()
    assert [job.name for job in jobs.waiting] == ["soon", "later", "never"]
    assert [job.name for job in jobs.running] == ["runs"]
    assert (jobs.running_count, jobs.waiting_count, jobs.paused) == (1, 3, 1)


def test_long_lists_are_cut_and_counted_whole(owner, dataset, monkeypatch):
    monkeypatch.setattr(fleet, "SHOWN", 2)
    TrainingJobFactory.create_batch(5, user=owner, dataset=dataset)
    jobs = fleet.open_jobs()
    assert (len(jobs.waiting), jobs.waiting_count) == (2, 5)


def test_failures_are_counted_by_reason_and_age(owner, dataset):
    now = timezone.now()
    for days, kind in ((0, "lost"), (3, "lost"), (20, "lost"), (40, "lost"), (0, "")):
        at = now - timedelta(days=days, minutes=1)
        job = TrainingJobFactory(
            user=owner, dataset=dataset, status="failed", completed_at=at,
            failure_kind=kind,
        )  # fmt: skip
        RunAttempt.objects.create(
            job=job, number=1, token_hash=str(job.pk), ended_at=at, failure_kind=kind
        )
    lost, other = fleet.failures(now)
    assert (lost.reason, lost.runs, lost.jobs) == ("lost", (1, 2, 3), (1, 2, 3))
    assert (other.reason, other.runs, other.jobs) == ("other", (0, 0, 0), (1, 1, 1))


def test_coverage_is_the_share_of_ranges_that_held(db):
    for inside in (True, True, True, False):
        CalibrationScore.objects.create(target="time", score=0, inside=inside)
    time, memory = fleet.coverage()
    assert (time.count, time.percent) == (4, 75)
    assert (memory.count, memory.percent) == (0, None)


def test_spend_is_of_this_month_by_user(owner, stranger):
    now = timezone.now()
    owner.monthly_budget_usd = 10
    owner.save()
    for user, usd, days in ((owner, "4", 0), (owner, "1.5", 0), (stranger, "9", 0),
                            (owner, "100", 40)):  # fmt: skip
        record = CostRecord.objects.create(
            job=TrainingJobFactory(user=user), running_seconds=1, storage_usd=0,
            compute_usd=Decimal(usd), total_usd=Decimal(usd),
        )  # fmt: skip
        at = now - timedelta(days=days)
        CostRecord.objects.filter(pk=record.pk).update(created_at=at)
    first, second = fleet.spent(now)
    assert (first.user, first.usd, first.percent) == ("stranger", 9, None)
    assert (second.user, second.usd, second.jobs) == ("owner", Decimal("5.5"), 2)
    assert second.percent == 55


def test_the_page_shows_it_all_in_few_queries(operator):
    counts = []
    for n in range(3):
        add_rows(UserFactory(username=f"spender-{n}"), f"r{n}")
        TrainingJobFactory(name=f"waits {n}", status_note="waiting for a free CPU")
        with CaptureQueriesContext(connection) as seen:
            page = operator.get("/admin/fleet").content.decode()
        counts.append(len(seen))
    for words in (
        "GPU-r1",
        "waits 2",
        "out of memory",
        "100 % of the",
        "spender-0",
    ):
        assert words in page
    assert counts[0] == counts[-1] <= 12


def test_an_empty_fleet_says_so(operator):
    page = operator.get("/admin/fleet").content.decode()
    for words in (
        "No machine is connected",
        "No running jobs",
        "The queue is empty",
        "None in 30",
    ):
        assert words in page
