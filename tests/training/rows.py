"""One row or some of every model of ours, for tests of the admin."""

from datetime import timedelta
from decimal import Decimal

from django.contrib.admin.models import CHANGE, LogEntry
from django.test import Client
from django.utils import timezone

from datasets.models import DatasetStatistics
from lora_pipeline.accounts.services import create_api_key
from lora_pipeline.models import User
from notifications.models import Delivery, Notification, Preference, Webhook
from tests.factories import AdapterFactory, DatasetFactory, TrainingJobFactory
from training.models import (
    AdapterExport,
    AdapterQuestion,
    CalibrationCell,
    CalibrationRecord,
    CalibrationScore,
    Checkpoint,
    CostRecord,
    DeviceClaim,
    GpuOffer,
    GpuPrice,
    GpuType,
    IdempotencyKey,
    JobEvent,
    Machine,
    MetricPoint,
    RunAttempt,
    TrainingJob,
)

TEXT = "a sentence that somebody trains on"
SECRET_PATH = "services/T0-secret-path"


def add_rows(user: User, mark: str) -> TrainingJob:
    """A running job of a user with all that can hang off it, and all the rest."""
    now = timezone.now()
    dataset = DatasetFactory(user=user, sample_data=[TEXT], validation_errors=[TEXT])
    DatasetStatistics.objects.create(
        dataset=dataset, base_model="tiny", exact=True, examples=1, turns=1, tokens=1,
        supervised_tokens=1, refused_by_template=0, last_answer_only=0,
        lengths=[], first_learned=[], last_end=[], measured_at=now,
    )  # fmt: skip
    job = TrainingJobFactory(user=user, dataset=dataset, status="running")
    attempt = RunAttempt.objects.create(
        job=job, number=1, token_hash=f"token-hash-{mark}", started_at=now
    )
    DeviceClaim.objects.create(backend="local", device=f"cpu-{mark}", attempt=attempt)
    Checkpoint.objects.create(
        job=job, attempt=attempt, step=20, name="checkpoint-20", size_bytes=10
    )
    MetricPoint.objects.create(
        job=job, attempt=attempt, step=1, epoch=0.1, loss=2, at=now
    )
    JobEvent.objects.create(
        job=job, attempt=attempt, at=now, kind="log", message="a line of the log"
    )
    _ended(user, dataset, mark)
    _catalogue(user, mark)
    _people(user, mark)
    return job


def _ended(user: User, dataset: object, mark: str) -> None:
    now = timezone.now()
    job = TrainingJobFactory(
        user=user, dataset=dataset, status="failed", failure_kind="out_of_memory",
        completed_at=now - timedelta(minutes=1),
    )  # fmt: skip
    RunAttempt.objects.create(
        job=job, number=1, token_hash=f"ended-{mark}", ended_at=now,
        outcome="failed", failure_kind="out_of_memory",
    )  # fmt: skip
    CostRecord.objects.create(
        job=job, running_seconds=1, compute_usd=Decimal("1.25"), storage_usd=0,
        total_usd=Decimal("1.25"),
    )  # fmt: skip
    adapter = AdapterFactory(job=job)
    AdapterExport.objects.create(adapter=adapter)
    AdapterQuestion.objects.create(
        adapter=adapter, question=TEXT, system=TEXT, max_new_tokens=8, base_answer=TEXT
    )
    IdempotencyKey.objects.create(user=user, key=mark, body_sha256="0" * 64, job=job)
    CalibrationRecord.objects.create(
        job=job, kind="run", outcome="completed", gpu_type="CPU", method="lora",
        base_model="tiny", setup={}, measured={}, predicted={},
    )  # fmt: skip


def _catalogue(user: User, mark: str) -> None:
    now = timezone.now()
    gpu = GpuType.objects.create(
        name=f"GPU-{mark}", usd_per_hour=1, tokens_per_second=10
    )
    GpuPrice.objects.create(gpu_type=gpu, at=now, to_usd=1, by=user.username)
    GpuOffer.objects.create(backend="local", gpu_type=gpu, count=2, seen_at=now)
    Machine.objects.create(name=f"machine-{mark}")
    CalibrationCell.objects.create(
        target="time", key=[mark], count=1, total=0, squares=0
    )
    CalibrationScore.objects.create(target="time", score=0.5, inside=True)


def _people(user: User, mark: str) -> None:
    create_api_key(owner=user, name=f"key {mark}")
    Client().force_login(user)
    notice = Notification.objects.create(user=user, type="test", title="T", message="M")
    Preference.objects.create(user=user, kind=mark, by_email=True, by_webhook=False)
    hook = Webhook.objects.create(
        user=user, url=f"https://hooks.example.com/{SECRET_PATH}", secret="whsec_abc"
    )
    Delivery.objects.create(
        notification=notice, channel="webhook", webhook=hook, target=hook.url
    )
    LogEntry.objects.create(
        user=user, object_repr=mark, action_flag=CHANGE, change_message="changed"
    )
