"""Pause, resume, start again, continue, priority and cap, without a trainer."""

from decimal import Decimal

import pytest
from django.contrib.auth.models import Permission
from django.utils import timezone

from lora_pipeline.errors import Refusal
from lora_pipeline.tokens import hash_secret
from notifications.models import Notification
from tests.factories import TrainingJobFactory
from training.jobs.controls import resume_job, set_priority
from training.models import Checkpoint, CostRecord, MetricPoint, RunAttempt, TrainingJob
from training.runs.outcomes import attempt_failed
from training.runs.protocol.events import event_of
from training.runs.protocol.ingest import take_events

NOW = timezone.now()


@pytest.fixture
def job(owner, dataset):
    return TrainingJobFactory(user=owner, dataset=dataset)


@pytest.fixture
def running(owner, dataset):
    job = TrainingJobFactory(
        user=owner, dataset=dataset, status="running", usd_per_gpu_hour=3600
    )
    begin(job)
    return job


def begin(job, **fields):
    number = job.attempts.count() + 1
    secret = hash_secret(f"{job.pk} {number}")
    values = {"started_at": NOW, "last_event_at": NOW} | fields
    return RunAttempt.objects.create(
        job=job, number=number, token_hash=secret, **values
    )


def post(api, job, what, body=None, status=200):
    answer = api.post(f"/api/jobs/{job.pk}/{what}", body or {}, format="json")
    assert answer.status_code == status, answer.json()
    return answer.json().get("data") or answer.json()


def checkpointed(job, *steps):
    attempt = job.attempts.first() or begin(job)
    for step in range(1, max(steps) + 1):
        MetricPoint.objects.create(
            job=job, attempt=attempt, step=step, epoch=0, loss=1 / step, at=NOW
        )
    for step in steps:
        name = f"checkpoint-{step}"
        Checkpoint.objects.create(
            job=job, attempt=attempt, step=step, name=name, size_bytes=1
        )


def ended(job, status="cancelled"):
    TrainingJob.objects.filter(pk=job.pk).update(status=status)
    job.attempts.update(ended_at=NOW)


def test_pausing_what_waits_is_instant_and_twice_harmless(api, job):
    assert post(api, job, "pause")["status"] == "paused"
    assert post(api, job, "pause")["status"] == "paused"
    assert job.events.filter(to_status="paused").count() == 1
    assert Notification.objects.filter(type="job_paused").count() == 1


def test_a_running_job_is_asked_to_stop_and_pauses_when_it_has(api, running):
    assert post(api, running, "pause")["status"] == "running"
    attempt = running.attempts.get()
    answer = take_events(attempt.pk, [event(1, "log", message="x")])
    assert (answer["cancel"], answer["reason"]) == (True, "pause")
    take_events(attempt.pk, [event(2, "cancelled", step=7)])
    running.refresh_from_db()
    assert (running.status, running.pause_requested_at) == ("paused", None)
    assert post(api, running, "resume")["status"] == "queued"


def event(sequence, type, **values):
    return event_of({"sequence": sequence, "type": type, "at": NOW, **values})


def test_resuming_what_is_not_paused_is_a_409(api, job):
    assert post(api, job, "resume", status=409)["code"] == "not_paused"


def test_an_ended_job_cannot_pause(api, job):
    ended(job)
    assert post(api, job, "pause", status=409)["code"] == "not_open"


def test_cancelling_a_paused_job_is_instant(api, job):
    post(api, job, "pause")
    assert post(api, job, "cancel")["status"] == "cancelled"
    assert post(api, job, "cancel", status=409)["code"] == "already_ended"


def test_cancelling_twice_while_it_runs_is_harmless(api, running):
    first = post(api, running, "cancel")["cancel_requested_at"]
    assert post(api, running, "cancel")["cancel_requested_at"] == first


@pytest.mark.parametrize("what", ["pause", "resume", "retry", "continue", "priority"])
def test_a_stranger_steers_nothing(what, stranger_api, job):
    body = {"priority": "low"} if what == "priority" else {}
    assert "Job not found" in post(stranger_api, job, what, body, 404)["error"]


def test_a_failed_job_starts_again_with_the_suggested_change(api, running):
    attempt_failed(
        running,
        running.attempts.get(),
        outcome="failed",
        kind="out_of_memory",
        message="The machine ran out of memory.",
        stack="trace",
        by="trainer",
    )
    failed = api.get(f"/api/jobs/{running.pk}").json()["data"]
    assert failed["suggestion"]["changes"] == {"micro_batch": 2}
    assert failed["error_stack"] == "trace"
    assert failed["retry_count"] == 0
    new = post(api, running, "retry", {"apply_suggestion": True}, status=201)
    assert (new["status"], new["continued_from"]) == ("queued", str(running.pk))
    assert new["hyperparameters"]["micro_batch"] == 2
    same = post(api, running, "retry", status=201)
    assert same["hyperparameters"]["micro_batch"] is None


def test_without_a_suggestion_there_is_none_to_apply(api, job):
    ended(job)
    answer = post(api, job, "retry", {"apply_suggestion": True}, status=409)
    assert answer["code"] == "no_suggestion"


def test_a_job_under_way_is_not_started_again(api, running):
    assert post(api, running, "retry", status=409)["code"] == "not_ended"


def test_retry_shortens_the_pause_between_two_attempts(api, job):
    later = timezone.now() + timezone.timedelta(hours=1)
    TrainingJob.objects.filter(pk=job.pk).update(retry_at=later)
    assert post(api, job, "retry")["id"] == str(job.pk)
    job.refresh_from_db()
    assert job.retry_at < later


def test_an_ended_job_continues_from_a_checkpoint_as_a_new_one(api, job):
    checkpointed(job, 3, 5)
    ended(job)
    new = post(api, job, "continue", {"step": 3}, status=201)
    continued = TrainingJob.objects.get(pk=new["id"])
    assert (continued.start_step, continued.current_step) == (3, 3)
    assert list(continued.metrics.values_list("step", flat=True)) == [1, 2, 3]
    assert continued.checkpoints.kept().newest_step() == 3
    assert job.metrics.count() == 5


def test_a_paused_job_goes_back_to_an_older_checkpoint(api, job):
    checkpointed(job, 3, 5)
    post(api, job, "pause")
    assert post(api, job, "continue", {"step": 3})["status"] == "queued"
    assert job.checkpoints.kept().newest_step() == 3
    assert job.metrics.count() == 3


def test_a_checkpoint_that_was_freed_cannot_be_continued(api, job):
    checkpointed(job, 3)
    job.checkpoints.update(freed_at=NOW)
    ended(job)
    answer = post(api, job, "continue", {"step": 3}, status=404)
    assert answer["code"] == "no_checkpoint"


def test_only_an_operator_who_may_prioritise_gives_high_priority(api, job, owner):
    assert post(api, job, "priority", {"priority": "low"})["priority"] == 1
    assert post(api, job, "priority", {"priority": "high"}, status=400)
    set_priority(job_id=job.pk, priority=3, by="operator", is_operator=True)
    owner.is_staff = True
    owner.save()
    assert post(api, job, "priority", {"priority": "high"}, status=400)
    may = Permission.objects.get(codename="prioritise_trainingjob")
    owner.user_permissions.add(may)
    assert post(api, job, "priority", {"priority": "high"})["priority"] == 3


def spend(job, seconds, max_cost):
    TrainingJob.objects.filter(pk=job.pk).update(max_cost=max_cost)
    attempt = job.attempts.get()
    last = timezone.now() - timezone.timedelta(seconds=seconds)
    RunAttempt.objects.filter(pk=attempt.pk).update(last_event_at=last)
    sequence = attempt.last_sequence + 1
    return take_events(attempt.pk, [event(sequence, "log", message="x")])


def test_the_cap_warns_at_80_percent_and_pauses_at_100(running):
    assert not spend(running, 8.1, Decimal(10))["cancel"]
    assert Notification.objects.filter(type="budget_80").count() == 1
    assert spend(running, 2, Decimal(10))["reason"] == "pause"
    assert Notification.objects.filter(type="budget_100").count() == 1
    take_events(running.attempts.get().pk, [event(3, "cancelled", step=9)])
    running.refresh_from_db()
    assert (running.status, running.pause_reason) == ("paused", "budget")


def test_a_job_at_its_cap_resumes_with_a_higher_one_only(running):
    test_the_cap_warns_at_80_percent_and_pauses_at_100(running)
    with pytest.raises(Refusal) as refused:
        resume_job(job_id=running.pk, by="owner")
    assert (refused.value.status_code, refused.value.code) == (402, "cap_reached")
    resumed = resume_job(job_id=running.pk, by="owner", max_cost=Decimal(20))
    assert (resumed.status, resumed.budget_noticed_percent) == ("queued", 0)


def test_a_higher_cap_must_fit_the_month(running, owner):
    test_the_cap_warns_at_80_percent_and_pauses_at_100(running)
    owner.monthly_budget_usd = 15
    owner.save()
    with pytest.raises(Refusal) as refused:
        resume_job(job_id=running.pk, by="owner", max_cost=Decimal(20))
    assert refused.value.code == "budget"


def test_an_attempt_that_we_lost_is_not_charged(running):
    spend(running, 100, None)
    attempt = running.attempts.get()
    running.refresh_from_db()
    assert running.running_seconds > 99
    attempt_failed(
        running, attempt, outcome="lost", kind="lost", message="gone", by="reconciler"
    )
    running.refresh_from_db()
    assert (running.status, running.running_seconds) == ("queued", 0)
    assert running.current_cost == 0
    assert not running.attempts.get().charged


def test_cost_records_hold_what_was_charged(running):
    spend(running, 100, None)
    attempt = running.attempts.get()
    running.refresh_from_db()
    attempt_failed(
        running, attempt, outcome="failed", kind="bad_data", message="x", by="trainer"
    )
    record = CostRecord.objects.get()
    assert record.running_seconds == attempt.running_seconds >= 100
    assert record.total_usd == running.final_cost >= 100


def test_after_three_lost_attempts_the_job_fails_with_the_log(running):
    for number in range(3):
        attempt = running.attempts.last() if number == 0 else begin(running)
        attempt_failed(
            running,
            attempt,
            outcome="lost",
            kind="lost",
            message="The trainer process exited unexpectedly.",
            log_tail="last words",
            stack="last words",
            by="reconciler",
        )
        if number < 2:
            running.refresh_from_db()
            assert running.retry_at > timezone.now()
            for status in ("initializing", "running"):
                TrainingJob.objects.filter(pk=running.pk).update(status=status)
            running.refresh_from_db()
    running.refresh_from_db()
    assert (running.status, running.final_cost) == ("failed", 0)
    assert "attempt 3 was the last" in running.error_message
    assert [a.log_tail for a in running.attempts.all()] == ["last words"] * 3
