"""Two users to look at: one whose console is full of everything, and a newcomer."""

import json
import os
import signal

from tests.trainer.conftest import ROOT

SAMPLE = ROOT / "datasets" / "samples" / "lumen_support.jsonl"
FILL = """
import math
from datetime import timedelta
from decimal import Decimal
from django.utils import timezone
from datasets.models import Dataset
from lora_pipeline.models import User
from notifications.services import notify
from notifications.models import Delivery, Webhook
from tests.factories import AdapterFactory, DatasetFactory, TrainingJobFactory
from training.models import (AdapterExport, AdapterQuestion, CostRecord, JobEvent,
    MetricPoint, RunAttempt)

now = timezone.now()
owner = User.objects.get(username="owner")
User.objects.create_user("newcomer", password="correct horse battery")
User.objects.create_superuser("operator", password="correct horse battery")
ready = Dataset.objects.get(pk={ready!r})
broken = DatasetFactory(user=owner, name="export with faults", status="error",
    training_ready=False, total_training_pairs=None, total_tokens=None, format="",
    validation_errors=[{"line": 3, "field": "", "message":
        "The line is not JSON: trailing characters (byte 14)."}])
checking = DatasetFactory(user=owner, name="a large upload", status="validating",
    training_ready=False, total_training_pairs=None, total_tokens=None, format="")
a100 = {"type": "A100-80GB", "count": 2}
common = dict(user=owner, dataset=ready, usd_per_gpu_hour=Decimal("3.50"),
    storage_usd=Decimal("0.50"), estimated_total_cost=Decimal("4.65"),
    estimated_hours=0.59)

def metrics(job, steps):
    attempt = RunAttempt.objects.create(job=job, number=1, token_hash=str(job.pk),
        ended_at=now if job.is_final else None)
    MetricPoint.objects.bulk_create([MetricPoint(job=job, attempt=attempt, step=n,
        epoch=n / 250, loss=0.6 + 2.4 * math.exp(-n / 90) + 0.05 * math.sin(n),
        validation_loss=0.8 + math.exp(-n / 150) if n % 250 == 0 else None,
        learning_rate=5e-5, grad_norm=0.8, tokens_seen=n * 1600,
        tokens_per_second=3600, at=now) for n in range(1, steps + 1)])
    for n in range(1, 30):
        JobEvent.objects.create(job=job, at=now, kind="log", message=f"step {n}")

waiting = TrainingJobFactory(**common, name="waits for a machine", gpu_config=a100,
    status_note="waiting for a machine that offers A100-80GB", queue_position=1)
running = TrainingJobFactory(**common, name="support-chats-v3, balanced",
    gpu_config=a100, status="running", current_stage="training", progress=0.64,
    current_step=480, current_epoch=1.92, started_at=now - timedelta(minutes=22),
    estimated_completion_at=now + timedelta(minutes=12), running_seconds=1320,
    current_cost=Decimal("2.57"), current_metrics={"loss": 0.71, "grad_norm": 0.84,
        "validation_loss": 0.84, "learning_rate": 2e-5, "tokens_per_second": 3712})
metrics(running, 480)
done = TrainingJobFactory(**common, name="quality on the old set", gpu_config=a100,
    status="completed", current_stage="completed", progress=1, current_step=750,
    current_epoch=3, started_at=now - timedelta(hours=3),
    completed_at=now - timedelta(hours=2), current_cost=Decimal("4.58"),
    final_cost=Decimal("4.58"), running_seconds=2100,
    current_metrics={"loss": 0.61, "validation_loss": 0.80})
metrics(done, 750)
done.artifact = AdapterFactory(job=done, size_bytes=19_812_345, training_loss=0.61,
    validation_loss=0.80, best_validation_loss=0.78, lineage={
        "dataset": {"name": ready.name, "sha256": "d" * 64, "training_pairs": 1000},
        "base_model": {"id": done.base_model_id, "revision": "", "sha256": "e" * 64},
        "hyperparameters": done.hyperparameters, "seed": 42, "steps": 750,
        "attempts": 1, "versions": {"torch": "2.13.0", "peft": "0.21.2"}})
done.save()
AdapterExport.objects.create(adapter=done.artifact, status="done",
    size_bytes=538_090_408, archive_sha256="c" * 64, storage_path="adapters/m.zip")
for status, words in (("done", "How do I reset my lamp?"), ("waiting", "And the fan?"),
        ("failed", "Is there more?")):
    answered = {"base_answer": "I am not sure what you mean.",
        "adapter_answer": "Hold the copper button for five seconds."}
    AdapterQuestion.objects.create(adapter=done.artifact, question=words,
        max_new_tokens=128, status=status, **(answered if status == "done" else {}),
        error="The trainer failed: out of memory" if status == "failed" else "")
for days, usd in ((0, "4.58"), (40, "12.30"), (75, "7.15")):
    spent = TrainingJobFactory(**common, name=f"books of {days}", gpu_config=a100,
        status="completed", hidden_at=now) if days else done
    record = CostRecord.objects.create(job=spent, running_seconds=2100,
        compute_usd=Decimal(usd) - Decimal("0.50"), storage_usd=Decimal("0.50"),
        total_usd=Decimal(usd))
    CostRecord.objects.filter(pk=record.pk).update(
        created_at=now - timedelta(days=days))
owner.monthly_budget_usd, owner.email = Decimal(50), "owner@example.com"
owner.save()
hook = Webhook.objects.create(user=owner, url="https://hooks.example.com/services/T0",
    secret="whsec_c2VjcmV0")
failed = TrainingJobFactory(**common, name="one that failed", gpu_config=a100,
    status="failed", current_stage="loading_model", completed_at=now,
    final_cost=Decimal("0"), error_message="The base model was not found.",
    error_stack="Traceback (most recent call last): OSError: no such model")
TrainingJobFactory(**common, name="cancelled early", gpu_config=a100,
    status="cancelled", completed_at=now, final_cost=Decimal("0.12"))
for job, kind, title in ((waiting, "job_queued", "Training Job Queued"),
        (done, "job_completed", "Training Job Completed"),
        (failed, "job_failed", "Training Job Failed")):
    notice = notify(user_id=owner.pk, type=kind, title=title, message=job.name,
        action_url=job.path, metadata={"job_id": str(job.pk)})
for status, answer, error in (("delivered", 200, ""), ("retrying", 503, "busy"),
        ("failed", 404, "The receiver answered 404. no_service")):
    Delivery.objects.create(notification=notice, channel="webhook", target=hook.url,
        webhook=hook, status=status, attempts=2, response_status=answer, error=error)
print(ready.pk, broken.pk, checking.pk, waiting.pk, running.pk, done.pk, failed.pk,
    done.artifact.pk)
"""
NAMES = (
    "ready", "broken", "checking", "waiting", "running", "done", "failed", "adapter"
)  # fmt: skip
EVERYWHERE = {
    "home": "/",
    "datasets": "/datasets",
    "upload": "/datasets/upload",
    "jobs": "/training/jobs",
    "choose": "/training/configure",
    "notices": "/notifications",
    "adapters": "/adapters",
    "costs": "/costs",
    "notice-settings": "/notifications/settings",
    "deliveries": "/notifications/deliveries",
    "compare-none": "/training/compare",
    "keys": "/keys",
    "password": "/password",
    "sessions": "/sessions",
    "not-yours": "/training/jobs/00000000-0000-4000-8000-000000000000",
    "missing": "/no-such-page",
}


def fill(console) -> dict[str, str]:
    """Make both users' rows in a running console; ids by name.

    The reconciler is held still: it would put right what only looks like a run.
    """
    rows = [json.loads(line) for line in SAMPLE.read_text().splitlines()]
    ready = console.upload_rows(rows)
    for pid in console.pids("reconcile"):
        os.kill(pid, signal.SIGSTOP)
    code = FILL.replace("{ready!r}", repr(ready))
    return dict(zip(NAMES, console.shell(code).split(), strict=True))


def full_pages(ids: dict[str, str]) -> dict[str, str]:
    """Every page of the user who has everything."""
    return EVERYWHERE | {
        "dataset": f"/datasets/{ids['ready']}",
        "dataset-with-faults": f"/datasets/{ids['broken']}",
        "dataset-being-checked": f"/datasets/{ids['checking']}",
        "configure": f"/training/configure?datasetId={ids['ready']}",
        "configure-faulty": f"/training/configure?datasetId={ids['ready']}&rank=3",
        "configure-not-ready": f"/training/configure?datasetId={ids['broken']}",
        "jobs-filtered": "/training/jobs?status=failed&search=failed",
        "jobs-no-match": "/training/jobs?search=nothing-like-this",
        "adapter": f"/adapters/{ids['adapter']}",
        "compare": f"/training/compare?job={ids['running']}&job={ids['done']}"
        f"&job={ids['failed']}",
        "job-charts": f"/training/jobs/{ids['done']}?log=1&smooth=1&search=step+2",
        "job-waiting": f"/training/jobs/{ids['waiting']}",
        "job-running": f"/training/jobs/{ids['running']}",
        "job-completed": f"/training/jobs/{ids['done']}",
        "job-failed": f"/training/jobs/{ids['failed']}",
        "api-docs": "/api/docs",
    }
