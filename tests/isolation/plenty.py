"""A user with so much of everything that a fuzzer may use it up."""

from typing import Any

from tests.factories import AdapterFactory, DatasetFactory, TrainingJobFactory, bring_to
from tests.isolation.world import World, build
from training.models import Checkpoint, RunAttempt

WAYS = (
    (),
    ("initializing", "running"),
    ("initializing", "running", "paused"),
    ("initializing", "failed"),
    ("initializing", "running", "completed"),
)
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
    job = TrainingJobFactory(
        user=world.user, dataset=dataset, name=f"job {number}", gpu_config=MACHINE
    )
    bring_to(job, *WAYS[number % len(WAYS)])
    attempt = RunAttempt.objects.create(job=job, number=1, token_hash=str(job.pk))
    for step in (1, 2, 3):
        Checkpoint.objects.create(
            job=job, attempt=attempt, step=step, name=f"c{step}", size_bytes=1
        )
    adapter = AdapterFactory(job=job)
    ids["datasets"].append(str(dataset.pk))
    ids["jobs"].append(str(job.pk))
    ids["adapters"].append(str(adapter.pk))
