"""A month's budget: what was spent, what open jobs hold, what a new one needs.

The job of these tests is estimated at 4.65 USD: it holds 5.8125, a quarter more.
"""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from django.utils import timezone

from tests.factories import DatasetFactory, TrainingJobFactory, bring_to
from tests.openapi import conforms
from tests.training.jobs.contract import CREATE
from training.models import CostRecord, TrainingJob


@pytest.fixture
def give(owner):
    """Gives the owner a monthly budget."""

    def to(usd: str | None) -> None:
        type(owner).objects.filter(pk=owner.pk).update(monthly_budget_usd=usd)

    return to


def refusal(answer: Any) -> dict[str, float]:
    return CREATE.refused(answer, 402)["details"]


def test_without_a_budget_nothing_is_refused(caller, full, give):
    give(None)
    assert CREATE.call(caller, data=full).status_code == 201


@pytest.mark.parametrize(("usd", "status"), [("5.81", 402), ("5.82", 201)])
def test_the_budget_must_cover_the_estimate_and_a_quarter(
    usd, status, caller, full, give
):
    give(usd)
    assert CREATE.call(caller, data=full).status_code == status


def test_open_jobs_hold_their_part_until_they_end(api, full, give):
    give("10.00")
    first = CREATE.call(api, data=full).json()["data"]["id"]
    numbers = refusal(CREATE.call(api, data=full))
    assert numbers == {
        "budget_usd": 10.0,
        "spent_usd": 0.0,
        "held_usd": 5.81,
        "free_usd": 4.19,
        "needed_usd": 5.81,
    }
    api.post(f"/api/jobs/{first}/cancel")
    assert CREATE.call(api, data=full).status_code == 201


def test_a_cap_is_held_instead_of_the_estimate(api, full, give):
    give("3.00")
    assert refusal(CREATE.call(api, data=full))["needed_usd"] == 5.81
    assert CREATE.call(api, data=full | {"max_cost": 2.00}).status_code == 201
    numbers = refusal(CREATE.call(api, data=full | {"max_cost": 1.01}))
    assert (numbers["held_usd"], numbers["free_usd"]) == (2.0, 1.0)
    assert numbers["needed_usd"] == 1.01
    assert CREATE.call(api, data=full | {"max_cost": 1}).status_code == 201


def test_a_cap_above_the_estimate_is_held_whole(api, full, give):
    give("20.00")
    assert refusal(CREATE.call(api, data=full | {"max_cost": 21}))["needed_usd"] == 21


def spend(owner: Any, usd: str, at: Any) -> None:
    job = TrainingJobFactory(user=owner, status="completed")
    record = CostRecord.objects.create(
        job=job,
        running_seconds=1,
        compute_usd=usd,
        storage_usd=0,
        total_usd=usd,
    )
    CostRecord.objects.filter(pk=record.pk).update(created_at=at)


def test_this_months_costs_count_and_last_months_do_not(api, full, owner, give):
    give("10.00")
    now = timezone.localtime()
    spend(owner, "900.00", now.replace(day=1, hour=0, minute=0) - timedelta(minutes=1))
    spend(owner, "4.50", now)
    numbers = refusal(CREATE.call(api, data=full))
    assert (numbers["spent_usd"], numbers["free_usd"]) == (4.5, 5.5)


def test_another_users_jobs_and_costs_do_not_count(api, full, stranger, give):
    give("6.00")
    spend(stranger, "100.00", timezone.now())
    TrainingJobFactory(user=stranger, estimated_total_cost=100)
    assert CREATE.call(api, data=full).status_code == 201


def test_what_costs_nothing_is_allowed_with_nothing_left(api, full, owner, give):
    give("0.00")
    free = full | {"gpu_config": {"type": "CPU", "count": 1}}
    assert CREATE.call(api, data=free).status_code == 201
    assert refusal(CREATE.call(api, data=full))["free_usd"] == 0


def test_an_estimate_is_given_whatever_the_budget(api, full, give):
    give("0.00")
    answer = api.post("/api/jobs/estimate", full, format="json")
    assert answer.json()["data"]["estimated_cost"] == 4.65


def test_a_job_made_before_by_its_key_is_not_asked_for_money_again(api, full, give):
    give("6.00")
    headers = {"Idempotency-Key": "once"}
    first = CREATE.call(api, data=full, headers=headers)
    again = CREATE.call(api, data=full, headers=headers)
    assert (first.status_code, again.status_code) == (201, 200)


@pytest.fixture
def waiting(owner) -> TrainingJob:
    """A queued job that holds 1.25 x 4.00 = 5.00 USD."""
    return TrainingJobFactory(
        user=owner,
        dataset=DatasetFactory(user=owner),
        gpu_config={"type": "A100-80GB", "count": 1},
        estimated_total_cost=Decimal("4.00"),
    )


def move(api: Any, job: TrainingJob, gpu_type: str, count: int) -> Any:
    body = {"gpu_config": {"type": gpu_type, "count": count}}
    return api.post(f"/api/jobs/{job.pk}/move", body, format="json")


def test_moving_a_job_replaces_its_own_hold(api, waiting, give):
    # On two A100 it comes to 4.65: 5.8125 is held then, not 5.00 besides.
    give("5.82")
    answer = move(api, waiting, "A100-80GB", 2)
    assert answer.status_code == 200, answer.content
    data = conforms(answer, "POST", "/api/jobs/{id}/move")["data"]
    assert data["estimated_total_cost"] == 4.65
    assert data["gpu_config"] == {"type": "A100-80GB", "count": 2}


def test_moving_a_job_over_budget_gets_402_and_moves_nothing(api, waiting, give):
    give("5.80")
    answer = move(api, waiting, "A100-80GB", 2)
    assert answer.status_code == 402
    details = conforms(answer, "POST", "/api/jobs/{id}/move")["details"]
    assert (details["held_usd"], details["needed_usd"]) == (0.0, 5.81)
    waiting.refresh_from_db()
    assert waiting.gpu_config == {"type": "A100-80GB", "count": 1}
    assert waiting.estimated_total_cost == 4


def test_moving_a_capped_job_holds_its_cap(api, waiting, give):
    TrainingJob.objects.update(max_cost="1.00")
    give("1.00")
    assert move(api, waiting, "H100", 8).status_code == 200


@pytest.mark.parametrize(
    ("gpu", "status"), [(("B900", 1), 400), (("CPU", 2), 400), (("CPU", 0), 400)]
)
def test_moving_to_what_there_is_not_gets_400(gpu, status, api, waiting):
    answer = move(api, waiting, *gpu)
    assert answer.status_code == status
    conforms(answer, "POST", "/api/jobs/{id}/move")


def test_only_a_queued_job_moves(api, waiting):
    bring_to(waiting, "initializing", "running")
    answer = move(api, waiting, "CPU", 1)
    assert answer.status_code == 409
    conforms(answer, "POST", "/api/jobs/{id}/move")
