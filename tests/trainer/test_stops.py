"""Cancel, pause, resume, retry, continue and cap under a real console, end to end."""

import json
import subprocess
import sys
import urllib.error

import pytest

from tests.trainer.conftest import MANAGE, Console, stub_settings

pytestmark = pytest.mark.trainer
PRICE = """
from training.models import GpuType
GpuType.objects.filter(pk="CPU").update(usd_per_hour=3600)
"""
USERS = """
import json
from lora_pipeline.models import User
from lora_pipeline.accounts.services import create_api_key
from datasets.models import Dataset
own = Dataset.objects.get(pk={dataset!r})
keys = []
for name in ("anna", "bert", "cleo"):
    user = User.objects.create_user(name, password="correct horse battery")
    own.pk, own.user, own._state.adding = None, user, True
    own.id = __import__("uuid").uuid4()
    own.save(force_insert=True)
    keys.append([create_api_key(owner=user, name="t")[1], str(own.pk)])
print(json.dumps(keys))
"""
STARTS = """
import json
from training.models import RunAttempt
print(json.dumps([
    [a.job.user.username, str(a.job_id), a.created_at.timestamp(),
     a.ended_at.timestamp(), a.devices, a.outcome]
    for a in RunAttempt.objects.order_by("created_at").select_related("job__user")
    if a.job.user.username != "owner"
]))
"""


@pytest.fixture(scope="module")
def console(tmp_path_factory, tiny_model):
    """A console whose trainer computes nothing, at one USD a second."""
    var = tmp_path_factory.mktemp("stub")
    made = Console(var, CPU_SLOTS="2", **stub_settings(var))
    made.start()
    made.prepare(tiny_model)
    made.shell(PRICE)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def dataset(console):
    return console.upload(67)


def pace(console, seconds: float) -> None:
    (console.var / "stub_step_seconds").write_text(str(seconds))


def test_a_queued_job_is_cancelled_at_once_and_again_is_a_409(console, dataset):
    gpu = {"type": "H100", "count": 1}
    job = console.start_job(dataset, gpu_config=gpu)
    assert console.act(job, "cancel")["status"] == "cancelled"
    with pytest.raises(urllib.error.HTTPError, match="409"):
        console.act(job, "cancel")
    assert console.result(job)["attempts"] == []


def test_a_running_job_stops_after_its_step_and_keeps_its_checkpoint(console, dataset):
    pace(console, 0.2)
    job = console.start_job(dataset)
    console.wait_for_step(job, 3)
    before = console.act(job, "cancel")["current_step"]
    assert console.act(job, "cancel")["cancel_requested_at"]
    ended = console.wait_for_status(job, "cancelled", 5)
    assert ended["current_step"] - before <= 2
    name = f"checkpoint-{ended['current_step']}"
    assert (console.var / "runs" / job / "checkpoints" / name).is_dir()
    told = console.result(job)
    assert told["history"][-1] == ["running", "cancelled", "trainer"]
    assert told["cost"][1] == told["cost"][2]
    assert ended["final_cost"] > 0


def test_a_paused_job_frees_its_machine_and_resumes_where_it_was(console, dataset):
    pace(console, 0.05)
    job = console.start_job(dataset)
    console.wait_for_step(job, 5)
    console.act(job, "pause")
    paused = console.wait_for_status(job, "paused", 5)
    console.act(job, "resume")
    ended = console.wait_for_end(job, 30)
    assert ended["status"] == "completed"
    told = console.result(job)
    assert [a[1:] for a in told["attempts"]] == [
        ["stopped", 0],
        ["completed", paused["current_step"]],
    ]
    steps = [point[0] for point in told["points"]]
    assert steps == list(range(1, ended["total_steps"] + 1))
    assert ended["retry_count"] == 0


def test_a_job_that_loses_three_trainers_fails_and_can_start_again(console, dataset):
    pace(console, 0.2)
    job = console.start_job(dataset)
    for number in (1, 2, 3):
        console.wait(lambda n=number: len(console.job_attempts(job)) == n, 20)
        console.wait_for_status(job, "running")
        console.killed(job)
        console.wait(lambda: console.job(job)["status"] != "running", 20)
    ended = console.wait_for_end(job, 10)
    told = console.result(job)
    assert [attempt[1] for attempt in told["attempts"]] == ["lost"] * 3
    assert ended["status"] == "failed"
    assert ended["final_cost"] == 0
    pace(console, 0.01)
    again = console.act(job, "retry")["id"]
    assert again != job
    assert console.wait_for_end(again, 30)["status"] == "completed"


def test_a_cancelled_job_continues_from_a_checkpoint_as_another(console, dataset):
    pace(console, 0.02)
    job = console.start_job(dataset)
    console.wait_for_step(job, 25)
    console.act(job, "cancel")
    console.wait_for_end(job, 10)
    new = console.act(job, "continue", step=20)
    assert (new["continued_from"], new["current_step"]) == (job, 20)
    ended = console.wait_for_end(new["id"], 30)
    told = console.result(new["id"])
    assert ended["status"] == "completed"
    assert told["attempts"] == [[1, "completed", 20]]
    assert [p[0] for p in told["points"]] == list(range(1, ended["total_steps"] + 1))


def test_at_its_cap_a_job_pauses_with_a_checkpoint_and_resumes_higher(console, dataset):
    pace(console, 0.1)
    job = console.start_job(dataset, max_cost=1.5)
    paused = console.wait_for_status(job, "paused", 20)
    assert paused["pause_reason"] == "budget"
    assert 1.5 <= paused["current_cost"] + 0 < 3
    name = f"checkpoint-{paused['current_step']}"
    assert (console.var / "runs" / job / "checkpoints" / name).is_dir()
    with pytest.raises(urllib.error.HTTPError, match="402"):
        console.act(job, "resume")
    pace(console, 0.01)
    console.act(job, "resume", max_cost=100)
    ended = console.wait_for_end(job, 30)
    assert ended["status"] == "completed"
    told = console.result(job)
    seconds = sum(row[1] for row in told["charged"] if row[0])
    assert seconds == pytest.approx(told["cost"][0])
    assert ended["final_cost"] == pytest.approx(seconds, abs=0.02)
    notices = {n["type"] for n in console.notices()}
    assert {"budget_80", "budget_100", "job_paused", "job_completed"} <= notices


@pytest.mark.long
def test_twenty_jobs_of_three_users_take_turns_under_two_reconcilers(console, dataset):
    pace(console, 0.01)
    second = subprocess.Popen(
        [sys.executable, MANAGE, "reconcile"],
        env=console.environment,
        stdout=(console.var / "second.log").open("w"),
        stderr=subprocess.STDOUT,
    )
    people = json.loads(console.shell(USERS.format(dataset=dataset)))
    jobs = queue_for(console, dataset, people, (10, 6, 4))
    for number, (key, job) in enumerate(jobs):
        console.key = key
        if number == 5:
            subprocess.run(
                ["kill", "-9", str(console.pids("reconcile")[0])], check=True
            )
        assert console.wait_for_end(job, 60)["status"] == "completed"
    second.kill()
    second.wait()
    check_turns(json.loads(console.shell(STARTS)), slots=2)


def queue_for(console, dataset, people, counts) -> list[tuple[str, str]]:
    """All jobs of the first user, then of the second: the order that is not fair.

    Both slots are busy meanwhile, so that all twenty stand in the queue at once.
    """
    owner, made = console.key, []
    pace(console, 0.3)
    blockers = [console.start_job(dataset) for _ in range(2)]
    for job in blockers:
        console.wait_for_status(job, "running")
    pace(console, 0.01)
    for (key, own), count in zip(people, counts, strict=True):
        console.key = key
        made += [(key, console.start_job(own, epochs=1)) for _ in range(count)]
    console.key = owner
    for job in blockers:
        console.act(job, "cancel")
    return made


def check_turns(starts, slots: int) -> None:
    assert len(starts) == len({job for _, job, *_ in starts}) == 20
    assert {outcome for *_, outcome in starts} == {"completed"}
    left = {"anna": 10, "bert": 6, "cleo": 4}
    done = dict.fromkeys(left, 0)
    for user, *_ in starts:
        done[user] += 1
        left[user] -= 1
        waiting = [done[name] for name in left if left[name]]
        assert not waiting or done[user] - min(waiting) <= 1, starts
    for _, job, began, _, devices, _ in starts:
        at_work = [s for s in starts if s[2] <= began < s[3]]
        assert len(at_work) <= slots
        used = [device for s in at_work for device in s[4]]
        assert len(used) == len(set(used)), (job, devices)
