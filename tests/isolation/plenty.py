"""A user with so much of everything that a fuzzer may use it up."""

from typing import Any

from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from tests.factories import AdapterFactory, DatasetFactory, TrainingJobFactory, bring_to
from tests.isolation.world import World, build, store_rows
from training.models import Checkpoint, RunAttempt

WAYS = (
    (),
    ("initializing", "running"),
    ("initializing", "running", "paused"),
    ("initializing", "failed"),
    ("initializing", "running", "completed"),
)
ROWS = [{"messages": [{"role": "user", "content": f"row {n}"}]} for n in range(5)]
MACHINE = {"type": "A100-80GB", "count": 1}


def plenty(word: str, times: int) -> dict[str, Any]:
    """The key of a new user, and the ids of their things by folder of the API."""
    world = build(word)
    ids: dict[str, list[str]] = {
        "datasets": [world.ids["dataset"], world.ids["deleted_dataset"]],
        "jobs": [text for kind, text in world.ids.items() if kind.endswith("_job")],
        "adapters": [world.ids["adapter"]],
        "notifications": [world.ids["notice"]],
        "webhooks": [world.ids["webhook"]],
        "deliveries": [world.ids["delivery"]],
    }
    for number in range(times):
        _more(world, ids, number)
    return {"key": world.key, "ids": ids}


def _more(world: World, ids: dict[str, list[str]], number: int) -> None:
    status = ("ready", "uploading", "validating", "error")[number % 4]
    dataset = DatasetFactory(
        user=world.user, name=f"set {number}", status=status, file_size=100 + number
    )
    if status == "ready":
        dataset.storage_path = f"datasets/{dataset.pk}/original"
        dataset.total_training_pairs = dataset.total_validation_pairs = len(ROWS)
        dataset.save()
        store_rows(dataset, ROWS)
    job = TrainingJobFactory(
        user=world.user, dataset=dataset, name=f"job {number}", gpu_config=MACHINE
    )
    bring_to(job, *WAYS[number % len(WAYS)])
    attempt = RunAttempt.objects.create(job=job, number=1, token_hash=str(job.pk))
    for step in (1, 2, 3):
        Checkpoint.objects.create(
            job=job, attempt=attempt, step=step, name=f"checkpoint-{step}", size_bytes=1
        )
    path = default_storage.save(f"adapters/{job.pk}.zip", ContentFile(b"0123456789"))
    adapter = AdapterFactory(job=job, storage_path=path, size_bytes=10)
    ids["datasets"].append(str(dataset.pk))
    ids["jobs"].append(str(job.pk))
    ids["adapters"].append(str(adapter.pk))
