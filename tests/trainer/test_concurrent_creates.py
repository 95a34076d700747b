"""Many creations at the same moment, over HTTP, against a running console."""

import http.client
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest

pytestmark = [pytest.mark.trainer, pytest.mark.long]
QUOTA = """
from lora_pipeline.models import User
User.objects.filter(username={owner!r}).update(quota_queued_jobs=1000)
"""
BUDGET = """
from lora_pipeline.models import User
User.objects.filter(username={owner!r}).update(monthly_budget_usd={usd})
"""


@pytest.fixture(scope="module")
def body(console):
    """A job for a machine that is not connected: it waits, and nothing is started."""
    console.shell(QUOTA.format(owner=console.owner))
    return {
        "dataset_id": console.upload(40),
        "preset_id": "fast",
        "gpu_config": {"type": "A100-80GB", "count": 1},
        "hyperparameters": {
            "learning_rate": 0.0001,
            "batch_size": 8,
            "epochs": 1,
            "rank": 8,
        },
    }


def create_at_once(console, body, times: int, **headers) -> list[tuple[int, dict]]:
    """Status and answer of so many requests, all let go at the same moment."""
    gate = threading.Barrier(times)
    sent = {"Authorization": f"Bearer {console.key}", **headers}
    sent["Content-Type"] = "application/json"

    def create(_: int) -> tuple[int, dict]:
        connection = http.client.HTTPConnection("127.0.0.1", console.port, timeout=60)
        connection.connect()
        gate.wait(60)
        connection.request("POST", "/api/jobs", json.dumps(body), sent)
        answer = connection.getresponse()
        return answer.status, json.load(answer)

    with ThreadPoolExecutor(times) as pool:
        return list(pool.map(create, range(times)))


def count_jobs(console) -> int:
    return console.api("/jobs")["pagination"]["total"]


def test_200_creates_with_one_idempotency_key_make_one_job(console, body):
    before, began = count_jobs(console), time.monotonic()
    answers = create_at_once(console, body, 200, **{"Idempotency-Key": "nightly-7"})
    print(f"200 creates in {time.monotonic() - began:.2f} s")
    statuses = [status for status, _ in answers]
    assert sorted(statuses) == [200] * 199 + [201]
    assert len({answer["data"]["id"] for _, answer in answers}) == 1
    assert count_jobs(console) == before + 1


def test_of_16_creates_with_a_budget_for_one_just_one_is_made(console, body):
    # 40 short pairs on one A100 are 20 minutes, 1.67 USD with storage; 1.01 is held.
    capped = body | {"max_cost": 1.01, "name": "budget"}
    before = count_jobs(console)
    held = console.shell(
        "from training.models import TrainingJob\n"
        f"mine = TrainingJob.objects.filter(user__username={console.owner!r})\n"
        "print(sum(j.estimated_total_cost for j in mine))"
    )
    console.shell(BUDGET.format(owner=console.owner, usd=float(held) * 1.25 + 2))
    try:
        answers = create_at_once(console, capped, 16)
    finally:
        console.shell(BUDGET.format(owner=console.owner, usd=None))
    assert sorted(status for status, _ in answers) == [201] + [402] * 15
    assert count_jobs(console) == before + 1


def test_200_creates_without_a_key_make_200_jobs(console, body):
    before = count_jobs(console)
    answers = create_at_once(console, body, 200)
    assert {status for status, _ in answers} == {201}
    assert len({answer["data"]["id"] for _, answer in answers}) == 200
    assert count_jobs(console) == before + 200
