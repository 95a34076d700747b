"""The owner is told once when 80 % and when all of the month's budget is spent."""

from decimal import Decimal

import pytest
from django.db import transaction

from notifications.models import Notification
from tests.factories import TrainingJobFactory
from training.jobs.transitions import close_job


@pytest.fixture
def spend(owner, dataset):
    owner.monthly_budget_usd = Decimal(10)
    owner.save()

    def ended(hours: float) -> None:
        job = TrainingJobFactory(
            user=owner, dataset=dataset, status="running", usd_per_gpu_hour=1,
            running_seconds=hours * 3600,
        )  # fmt: skip
        with transaction.atomic():
            close_job(job, "failed", "it failed", by="tests")

    return ended


def told(owner) -> list[tuple[str, str]]:
    own = Notification.objects.filter(user=owner, type__startswith="month_")
    return list(own.order_by("created_at").values_list("type", "message"))


def test_each_mark_is_told_once(spend, owner):
    spend(7.99)
    assert told(owner) == []
    spend(0.01)
    assert told(owner) == [
        ("month_80", "You have used 80 % of this month's budget: 8.00 of 10.00 USD.")
    ]
    spend(1.5)
    spend(0)
    assert len(told(owner)) == 1
    spend(0.5)
    assert [kind for kind, _ in told(owner)] == ["month_80", "month_100"]
    spend(5)
    assert len(told(owner)) == 2


def test_a_leap_over_both_tells_the_higher(spend, owner):
    spend(12)
    assert [kind for kind, _ in told(owner)] == ["month_100"]


def test_without_a_budget_nothing_is_told(spend, owner):
    owner.monthly_budget_usd = None
    owner.save()
    spend(100)
    assert told(owner) == []
