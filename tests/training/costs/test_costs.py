"""What jobs came to: page, CSV and API, owner and stranger."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from django.test import Client

from tests.factories import DatasetFactory, TrainingJobFactory
from training.costs.records import month_bounds
from training.models import CostRecord

RECORDS = [
    ("first", datetime(2026, 10, 31, 23, 59, tzinfo=UTC), "1.5000", "0.5000"),
    ("second", datetime(2026, 11, 1, tzinfo=UTC), "2.0000", "0"),
    ("=third", datetime(2026, 11, 30, 12, tzinfo=UTC), "3.2500", "0.5000"),
]


def record(user, dataset, name, at, compute, storage):
    job = TrainingJobFactory(
        user=user, dataset=dataset, name=name, status="completed",
        estimated_total_cost=Decimal("4.00"),
    )  # fmt: skip
    found = CostRecord.objects.create(
        job=job,
        running_seconds=3600,
        compute_usd=compute,
        storage_usd=storage,
        total_usd=Decimal(compute) + Decimal(storage),
    )
    CostRecord.objects.filter(pk=found.pk).update(created_at=at)
    return job


@pytest.fixture
def jobs(owner, dataset):
    return [record(owner, dataset, *values) for values in RECORDS]


def test_months_and_jobs_add_up(jobs, api):
    found = api.get("/api/costs").json()["data"]
    assert [(m["month"], m["jobs"], m["total_usd"]) for m in found["months"]] == [
        ("2026-11", 2, 5.75),
        ("2026-10", 1, 2.0),
    ]
    assert found["months"][0]["estimated_usd"] == 8.0
    assert [j["job_name"] for j in found["jobs"]] == ["=third", "second", "first"]
    total = sum(month["total_usd"] for month in found["months"])
    assert total == sum(job["total_usd"] for job in found["jobs"]) == 7.75


def test_one_month_is_answered_where_it_is_asked_for(jobs, api):
    found = api.get("/api/costs?month=2026-10").json()["data"]["jobs"]
    assert [job["job_name"] for job in found] == ["first"]


@pytest.mark.parametrize(
    "month", ["2026-13", "2026", "x", "", "\uff12026-10", "0000-01", "9999-12"]
)
def test_a_month_that_is_none_is_a_400(month, api):
    answer = api.get(f"/api/costs?month={month}")
    assert answer.status_code == 400
    assert "2026-11" in answer.json()["details"]["month"][0]


def test_december_ends_with_the_year():
    start, end = month_bounds("2026-12")
    assert (start.isoformat()[:10], end.isoformat()[:10]) == (
        "2026-12-01",
        "2027-01-01",
    )


def test_the_page_shows_estimate_against_actual(jobs, browser_of_owner):
    page = browser_of_owner.get("/costs").content.decode()
    for words in ("Nov 2026", "Oct 2026", "5.75", "8.00", "second"):
        assert words in page
    page = browser_of_owner.get("/costs?month=2026-10").content.decode()
    assert "first" in page
    assert "second" not in page


def test_a_budget_is_shown_with_what_is_left(owner, dataset, browser_of_owner, api):
    owner.monthly_budget_usd = 100
    owner.save()
    TrainingJobFactory(
        user=owner, dataset=dataset, status="running", max_cost=30, current_cost="1.25"
    )
    found = api.get("/api/costs").json()["data"]["this_month"]
    assert found["running_usd"] == 1.25
    assert found["budget"] == {
        "limit_usd": 100.0,
        "spent_usd": 0.0,
        "held_usd": 30.0,
        "free_usd": 70.0,
    }
    page = browser_of_owner.get("/costs").content.decode()
    assert "70.00" in page


def test_the_csv_holds_every_record_and_runs_nothing(jobs, browser_of_owner):
    answer = browser_of_owner.get("/costs.csv")
    assert answer.headers["Content-Type"].startswith("text/csv")
    rows = list(csv.DictReader(io.StringIO(answer.content.decode())))
    assert [row["total_usd"] for row in rows] == ["3.7500", "2.0000", "2.0000"]
    assert rows[0]["job"] == "'=third"
    rows = browser_of_owner.get("/costs.csv?month=2026-10").content.decode()
    assert len(rows.splitlines()) == 2


def test_a_job_that_was_put_away_still_counts(jobs, browser_of_owner):
    jobs[0].hidden_at = jobs[0].created_at
    jobs[0].save()
    page = browser_of_owner.get("/costs").content.decode()
    assert "(deleted)" in page
    assert jobs[0].get_absolute_url() not in page


def test_a_stranger_sees_none_of_it(jobs, stranger, stranger_api):
    own = record(
        stranger, DatasetFactory(user=stranger), "own", RECORDS[0][1], "9.0000", "0"
    )
    found = stranger_api.get("/api/costs").json()["data"]
    assert [job["job_id"] for job in found["jobs"]] == [str(own.pk)]
    client = Client()
    client.force_login(stranger)
    for path in ("/costs", "/costs.csv"):
        page = client.get(path).content.decode()
        assert str(jobs[1].pk) not in page
        assert "9.00" in page


@pytest.mark.django_db
def test_nobody_sees_costs_without_signing_in():
    assert Client().get("/api/costs").status_code == 401
    assert Client().get("/costs").status_code == 302
