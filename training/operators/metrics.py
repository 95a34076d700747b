"""Prometheus metrics of training: numbers only, no user data."""

from collections import Counter
from collections.abc import Callable
from datetime import datetime

from django.db.models import Avg, Count, IntegerField, Min, Sum
from django.db.models.functions import Cast
from django.utils import timezone

from datasets.models import Dataset
from lora_pipeline.operations import health
from lora_pipeline.operations.metrics import Row
from training.domain import lifecycle
from training.models import (
    Adapter,
    CalibrationScore,
    DeviceClaim,
    GpuOffer,
    Machine,
    RunAttempt,
    TrainingJob,
)
from training.runs import heartbeat

Family = tuple[str, tuple[str, ...], list[Row]]


def gather() -> dict[str, Family]:
    """Each metric by name: help text, labels and values."""
    return {
        name: (words, labels, read()) for name, (words, labels, read) in FIGURES.items()
    }


def jobs() -> list[Row]:
    """Jobs by status, including statuses without jobs."""
    found = TrainingJob.objects.order_by().values_list("status").annotate(Count("pk"))
    counts = dict(found)
    return [([status], counts.get(status, 0)) for status in lifecycle.STATUSES]


def oldest_wait() -> list[Row]:
    """Seconds; 0 if the queue is empty."""
    queued = TrainingJob.objects.filter(status=lifecycle.QUEUED)
    first = queued.aggregate(at=Min("queued_at"))["at"]
    return [([], seconds_since(first))]


def slots() -> list[Row]:
    """Used and free devices of each offered type."""
    taken = set(DeviceClaim.objects.values_list("backend", "device"))
    counts = Counter[tuple[str, str]]()
    for offer in GpuOffer.objects.all():
        counts[offer.gpu_type_id, "used"] += 0
        counts[offer.gpu_type_id, "free"] += 0
        for device in offer.device_ids:
            state = "used" if (offer.backend, device) in taken else "free"
            counts[offer.gpu_type_id, state] += 1
    return [([*labels], number) for labels, number in sorted(counts.items())]


def attempts() -> list[Row]:
    """Ended attempts by outcome."""
    ended = RunAttempt.objects.exclude(ended_at=None).order_by()
    found = ended.values_list("outcome").annotate(Count("pk"))
    return [([outcome], number) for outcome, number in found]


def ingest_lag() -> list[Row]:
    """Seconds; 0 if nothing is running."""
    running = RunAttempt.objects.open().exclude(last_event_at=None)
    oldest = running.aggregate(at=Min("last_event_at"))["at"]
    return [([], seconds_since(oldest))]


def seconds_since(moment: datetime | None) -> float:
    """Age in seconds; 0 if there is no timestamp."""
    return 0.0 if moment is None else (timezone.now() - moment).total_seconds()


def coverage() -> list[Row]:
    """By target: time, memory."""
    inside = Avg(Cast("inside", IntegerField()))
    scores = CalibrationScore.objects.order_by().values("target")
    found = scores.annotate(share=inside).values_list("target", "share")
    return [([t], share) for t, share in found]


def heartbeats() -> list[Row]:
    """Ages in seconds."""
    ages = {"worker": health.worker_age(), "reconciler": heartbeat.reconciler_age()}
    return [([name], -1.0 if age is None else age) for name, age in ages.items()]


def draining() -> list[Row]:
    """By machine."""
    return [([m.pk], float(m.is_draining)) for m in Machine.objects.all()]


def stored() -> list[Row]:
    """Uploaded files and adapters; normalised splits come on top."""
    datasets = Dataset.objects.aggregate(n=Sum("file_size"))["n"]
    adapters = Adapter.objects.filter(deleted_at=None).aggregate(n=Sum("size_bytes"))
    return [(["datasets"], datasets or 0), (["adapters"], adapters["n"] or 0)]


# Name: help text, labels, and the function that gives the values.
FIGURES: dict[str, tuple[str, tuple[str, ...], Callable[[], list[Row]]]] = {
    "jobs": ("Jobs by status.", ("status",), jobs),
    "queue_oldest_seconds": (
        "Waiting time of the oldest queued job in seconds.",
        (),
        oldest_wait,
    ),
    "slots": ("Devices by GPU type and state.", ("gpu_type", "state"), slots),
    "run_attempts": ("Ended run attempts by outcome.", ("outcome",), attempts),
    "ingest_lag_seconds": (
        "Longest time since a running attempt last reported, in seconds.",
        (),
        ingest_lag,
    ),
    "estimate_coverage_ratio": (
        "Share of finished runs inside their 80 % interval.",
        ("target",),
        coverage,
    ),
    "heartbeat_age_seconds": (
        "Seconds since the last heartbeat of worker and reconciler; -1: never.",
        ("process",),
        heartbeats,
    ),
    "machine_draining": ("1 while the machine is draining.", ("machine",), draining),
    "stored_bytes": ("Bytes by kind of file.", ("kind",), stored),
}
