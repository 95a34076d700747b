"""Each notice of a job leaves a real console by webhook and by e-mail, end to end."""

import email
import json

import pytest

from tests.notifications.receivers import Inbox, Receiver, start_mail_server
from tests.trainer.conftest import Console, stub_settings

pytestmark = [pytest.mark.trainer, pytest.mark.long]
PREPARE = """
from lora_pipeline.models import User
from training.models import GpuType
GpuType.objects.filter(pk="CPU").update(usd_per_hour=3600)
User.objects.update(email="owner@example.com")
"""
FAIL = """
from training.models import RunAttempt
from training.runs.outcomes import attempt_failed
from django.db import transaction
with transaction.atomic():
    attempt = RunAttempt.objects.select_related("job").get(job={job!r}, ended_at=None)
    attempt_failed(attempt.job, attempt, outcome="failed", kind="bad_data",
        message="No row can be learned.", by="trainer")
"""
BUDGET = """
from lora_pipeline.models import User
User.objects.update(monthly_budget_usd={usd})
"""
JOB_KINDS = {
    "job_started",
    "job_completed",
    "job_failed",
    "job_cancelled",
    "job_paused",
    "budget_80",
    "budget_100",
}


@pytest.fixture(scope="module")
def receiver():
    made = Receiver()
    yield made
    made.server.shutdown()
    made.server.server_close()


@pytest.fixture(scope="module")
def inbox():
    kept = Inbox()
    controller, kept.port = start_mail_server(kept)
    yield kept
    controller.stop()


@pytest.fixture(scope="module")
def console(tmp_path_factory, tiny_model, receiver, inbox):
    """A console at one USD a second, with a receiver and a mail server."""
    var = tmp_path_factory.mktemp("notices")
    made = Console(
        var,
        WEBHOOK_ALLOW_PRIVATE="1",
        EMAIL_HOST="127.0.0.1",
        EMAIL_PORT=str(inbox.port),
        EMAIL_USE_TLS="0",
        **stub_settings(var),
    )
    made.start()
    made.prepare(tiny_model)
    made.shell(PREPARE)
    made.api("/webhooks", {"url": receiver.url})
    kinds = [
        choice | {"by_email": True, "by_webhook": True}
        for choice in made.api("/notification-preferences")["preferences"]
    ]
    chosen = json.dumps({"preferences": kinds}).encode()
    put(made, "/notification-preferences", chosen)
    yield made
    made.stop()


def put(console, path: str, body: bytes) -> None:
    import urllib.request

    headers = {
        "Authorization": f"Bearer {console.key}",
        "Content-Type": "application/json",
    }
    request = urllib.request.Request(
        f"{console.url}/api{path}", body, headers, method="PUT"
    )
    urllib.request.urlopen(request, timeout=20).close()


def posted(receiver) -> dict[str, str]:
    """What the webhook was told: kind to message."""
    told = [json.loads(body)["notice"] for _, body, _ in receiver.got]
    return {notice["type"]: notice["message"] for notice in told}


def mailed(inbox) -> set[str]:
    return {email.message_from_string(raw)["Subject"] for _, raw in inbox.got}


def test_every_notice_of_a_job_arrives_by_webhook_and_by_mail(console, receiver, inbox):
    dataset = console.upload(67)
    console.wait(lambda: "dataset_ready" in posted(receiver), 60)

    console.wait_for_status(console.start_job(dataset, epochs=1), "completed")

    capped = console.start_job(dataset, epochs=20, max_cost=2.0)
    console.wait_for_status(capped, "paused")
    console.act(capped, "cancel")
    console.wait_for_status(capped, "cancelled")

    failing = console.start_job(dataset, epochs=20)
    console.wait_for_step(failing, 2)
    console.shell(FAIL.format(job=failing))
    console.wait_for_status(failing, "failed")

    console.wait(lambda: posted(receiver).keys() >= JOB_KINDS, 60)
    assert "No row can be learned." in posted(receiver)["job_failed"]
    subjects = {
        "[LoRA Pipeline] Training Started",
        "[LoRA Pipeline] Training Completed",
        "[LoRA Pipeline] Training Failed",
        "[LoRA Pipeline] Training Cancelled",
        "[LoRA Pipeline] Training Paused",
        "[LoRA Pipeline] Job at 80 % of Its Cost Cap",
        "[LoRA Pipeline] Job Reached Its Cost Cap",
        "[LoRA Pipeline] Dataset Ready",
    }
    console.wait(lambda: mailed(inbox) >= subjects, 60)
    log = console.api("/deliveries?limit=100")["deliveries"]
    assert {entry["status"] for entry in log} == {"delivered"}


def test_a_job_that_spends_the_month_tells_it(console, receiver, inbox):
    spent = float(console.api("/costs")["this_month"]["spent_usd"])
    # However much is spent already, the job's 0.90 USD cross 80 % of this.
    console.shell(BUDGET.format(usd=round(1.25 * spent + 1, 2)))
    dataset = console.api("/datasets")["datasets"][0]["id"]
    job = console.start_job(dataset, epochs=20, max_cost=0.9)
    console.wait_for_status(job, "paused")
    console.act(job, "cancel")
    console.wait(lambda: {"month_80", "month_100"} & posted(receiver).keys(), 60)
    console.wait(lambda: any("Monthly Budget" in s for s in mailed(inbox)), 60)


def test_a_dataset_with_faults_tells_it(console, receiver, inbox):
    body = (
        b'--x\r\nContent-Disposition: form-data; name="file"; filename="b.jsonl"'
        b"\r\n\r\n{nonsense\r\n--x--\r\n"
    )
    console.api("/datasets", body, "multipart/form-data; boundary=x")
    console.wait(lambda: "dataset_error" in posted(receiver), 60)
    console.wait(lambda: "[LoRA Pipeline] Dataset Has Errors" in mailed(inbox), 60)
