"""A user who has one of everything, each thing carrying a word of theirs."""

import json
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from django.contrib.admin.models import CHANGE, LogEntry
from django.contrib.contenttypes.models import ContentType
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.db import connection
from django.utils import timezone

from datasets.domain.split import SPLITS
from datasets.models import Dataset, DatasetStatistics
from lora_pipeline.accounts.services import create_api_key
from lora_pipeline.models import BrowserSession, User
from lora_pipeline.postgres.policies import tables_of_users
from lora_pipeline.tokens import hash_secret
from notifications.models import Delivery, Notification, Preference, Webhook
from tests.factories import (
    AdapterFactory,
    DatasetFactory,
    TrainingJobFactory,
    UserFactory,
    bring_to,
)
from training.models import (
    AdapterExport,
    AdapterQuestion,
    CalibrationRecord,
    Checkpoint,
    CostRecord,
    DeviceClaim,
    IdempotencyKey,
    JobEvent,
    MetricPoint,
    RunAttempt,
    TrainingJob,
)

STEP = 20
DIRECT = ("user_id", "id")


@dataclass(slots=True)
class World:
    """A user, the word in all that is theirs, and the ids by kind."""

    user: User
    word: str
    ids: dict[str, str] = field(default_factory=dict)
    key: str = ""
    run_token: str = ""

    def secrets(self) -> list[bytes]:
        """What nobody else may be shown."""
        ids = [text for text in self.ids.values() if len(text) > 20]
        return [text.encode() for text in (self.word, self.key, self.run_token, *ids)]


def build(word: str) -> World:
    """Rows in every table that leads to a user, and the files behind them."""
    user = UserFactory(
        username=f"{word}-user", first_name=word, email=f"{word}@example.com"
    )
    world = World(user=user, word=word)
    key, world.key = create_api_key(owner=user, name=f"{word} key")
    world.ids |= {"user": str(user.pk), "key": str(key.pk)}
    dataset = _datasets(world)
    jobs = _jobs(world, dataset)
    _runs(world, jobs)
    _adapter(world, jobs["done"])
    _notices(world)
    _beside(world, jobs["done"])
    return world


def _datasets(world: World) -> Dataset:
    word = world.word
    rows = [{"messages": [{"role": "user", "content": f"{word} asks"}]}] * 3
    shared: dict[str, Any] = {"user": world.user, "description": f"{word} describes"}
    dataset = DatasetFactory(
        **shared,
        name=f"{word} dataset",
        file_name=f"{word}.jsonl",
        storage_path=f"datasets/{word}/original",
        sample_data=rows,
        total_training_pairs=3,
        total_validation_pairs=3,
        validation_errors=[{"line": 1, "field": "", "message": f"{word} is wrong"}],
        validation_warnings=[{"line": 1, "field": "", "message": f"{word} is odd"}],
    )
    store_rows(dataset, rows)
    gone = DatasetFactory(
        **shared, name=f"{word} deleted dataset", deleted_at=timezone.now()
    )
    DatasetStatistics.objects.create(
        dataset=dataset,
        base_model=f"{word}/model",
        exact=True,
        examples=3,
        turns=3,
        tokens=30,
        supervised_tokens=10,
        refused_by_template=0,
        last_answer_only=0,
        lengths=[[10, 3]],
        first_learned=[[5, 3]],
        last_end=[[9, 3]],
        measured_at=timezone.now(),
    )
    world.ids |= {
        "dataset": str(dataset.pk),
        "deleted_dataset": str(gone.pk),
    }
    return dataset


def store_rows(dataset: Dataset, rows: list[dict[str, Any]]) -> None:
    """The files of a dataset whose splits both hold these rows."""
    content = "".join(json.dumps(row) + "\n" for row in rows).encode()
    for path in (dataset.storage_path, *map(dataset.split_path, SPLITS)):
        default_storage.save(path, ContentFile(content))
    for split in SPLITS:
        default_storage.save(dataset.index_path(split), ContentFile(bytes(8)))


def _jobs(world: World, dataset: Dataset) -> dict[str, TrainingJob]:
    found = {}
    for kind, path in {
        "queued": (),
        "running": ("initializing", "running"),
        "paused": ("initializing", "running", "paused"),
        "failed": ("initializing", "failed"),
        "done": ("initializing", "running", "completed"),
    }.items():
        job = TrainingJobFactory(
            user=world.user,
            dataset=dataset,
            name=f"{world.word} {kind}",
            error_message=f"{world.word} failed" if kind == "failed" else "",
            current_stage="queued",
        )
        bring_to(job, *path)
        found[kind] = job
        world.ids[f"{kind}_job"] = str(job.pk)
    return found


def _runs(world: World, jobs: dict[str, TrainingJob]) -> None:
    now = timezone.now()
    for kind in ("running", "paused", "failed", "done"):
        token = f"run-token-of-{world.word}-{kind}"
        attempt = RunAttempt.objects.create(
            job=jobs[kind],
            number=1,
            token_hash=hash_secret(token),
            log_tail=f"{world.word} says the trainer",
            ended_at=None if kind == "running" else now,
        )
        MetricPoint.objects.create(
            job=jobs[kind], attempt=attempt, step=STEP, epoch=0.5, loss=1.5, at=now
        )
        JobEvent.objects.create(
            job=jobs[kind], attempt=attempt, at=now, kind="log", message=world.word
        )
        Checkpoint.objects.create(
            job=jobs[kind],
            attempt=attempt,
            step=STEP,
            name=f"checkpoint-{STEP}",
            size_bytes=10,
        )
        if kind == "running":
            world.ids["attempt"], world.run_token = str(attempt.pk), token
            DeviceClaim.objects.create(
                backend="local", device=world.word, attempt=attempt
            )


def _adapter(world: World, job: TrainingJob) -> None:
    word = world.word
    path, merged = f"adapters/{word}.zip", f"adapters/{word}-merged.zip"
    for name in (path, merged):
        default_storage.save(name, ContentFile(word.encode()))
    lineage = {"dataset": {"name": word}, "hyperparameters": job.hyperparameters}
    adapter = AdapterFactory(
        job=job, name=f"{word} adapter", storage_path=path, lineage=lineage,
        size_bytes=len(word),
    )  # fmt: skip
    job.artifact = adapter
    job.save()
    AdapterExport.objects.create(
        adapter=adapter, status="done", storage_path=merged, size_bytes=len(word),
        archive_sha256="c" * 64,
    )  # fmt: skip
    AdapterQuestion.objects.create(
        adapter=adapter, question=f"{word}?", max_new_tokens=5, status="done",
        base_answer=f"{word} base", adapter_answer=f"{word} adapter",
    )  # fmt: skip
    world.ids["adapter"] = str(adapter.pk)


def _notices(world: World) -> None:
    user, word = world.user, world.word
    notice = Notification.objects.create(
        user=user, type="job_queued", title=f"{word} notice", message=word,
        action_url=f"/training/jobs/{world.ids['done_job']}", metadata={"of": word},
    )  # fmt: skip
    hook = Webhook.objects.create(
        user=user, url=f"https://{word}.example.com/", secret="whsec_c2VjcmV0"
    )
    sent = Delivery.objects.create(
        notification=notice, channel="webhook", webhook=hook, target=hook.url,
        status="failed", error=f"{word} did not answer",
    )  # fmt: skip
    Preference.objects.create(
        user=user, kind="job_failed", by_email=True, by_webhook=True
    )
    world.ids |= {
        "notice": str(notice.pk),
        "webhook": str(hook.pk),
        "delivery": str(sent.pk),
    }


def _beside(world: World, job: TrainingJob) -> None:
    word = world.word
    IdempotencyKey.objects.create(user=world.user, key=word, body_sha256="0", job=job)
    CostRecord.objects.create(
        job=job, running_seconds=1, compute_usd="7.7731", storage_usd="0.5",
        total_usd="8.2731",
    )  # fmt: skip
    CalibrationRecord.objects.create(
        job=job, kind="run", outcome="completed", gpu_type="CPU", method="lora",
        base_model=word, setup={}, measured={}, predicted={},
    )  # fmt: skip
    LogEntry.objects.create(
        user=world.user, content_type=ContentType.objects.get_for_model(User),
        object_id=str(world.user.pk), object_repr=word, action_flag=CHANGE,
    )  # fmt: skip
    group = world.user.groups.create(name=f"{word} group")
    world.user.user_permissions.set(group.permissions.all())
    session = BrowserSession.objects.create(
        session_key=f"{word}0session", session_data="", user_id=world.user.pk,
        user_agent=word, expire_date=timezone.now() + timedelta(days=1),
    )  # fmt: skip
    world.ids["session"] = session.handle


def snapshot() -> dict[str, list[tuple[Any, ...]]]:
    """Every row of every table that leads to a user, as text."""
    found = {}
    with connection.cursor() as cursor:
        for table in tables_of_users():
            cursor.execute(f"SELECT to_jsonb(t)::text FROM {table} t ORDER BY 1")  # noqa: S608 - our own tables
            found[table] = cursor.fetchall()
    return found


def rows_of(world: World, taken: dict[str, list[tuple[Any, ...]]]) -> dict[str, Any]:
    """The part of a snapshot that holds the user's word or one of their ids."""
    marks = [world.word, *(v for v in world.ids.values() if len(v) > 20)]
    return {
        table: [row for (row,) in rows if any(mark in row for mark in marks)]
        for table, rows in taken.items()
    }
