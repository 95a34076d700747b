"""Figures of the whole console, for those who watch it: numbers, nobody's data."""

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
    """Each figure by name: its words, its labels, its values."""
    return {
        name: (words, labels, read()) for name, (words, labels, read) in FIGURES.items()
    }


def jobs() -> list[Row]:
    """Every status, also those that no job has."""
    found = TrainingJob.objects.order_by().values_list("status").annotate(Count("pk"))
    counts = dict(found)
    return [([status], counts.get(status, 0)) for status in lifecycle.STATUSES]


def oldest_wait() -> list[Row]:
    """Seconds; 0 when nothing waits."""
    queued = TrainingJob.objects.filter(status=lifecycle.QUEUED)
    first = queued.aggregate(at=Min("queued_at"))["at"]
    return [([], seconds_since(first))]


def slots() -> list[Row]:
    """Devices used and free, of each type that is offered."""
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
    """How the ended attempts ended."""
    ended = RunAttempt.objects.exclude(ended_at=None).order_by()
    found = ended.values_list("outcome").annotate(Count("pk"))
    return [([outcome], number) for outcome, number in found]


def ingest_lag() -> list[Row]:
    """Seconds; 0 when nothing runs."""
    running = RunAttempt.objects.open().exclude(last_event_at=None)
    oldest = running.aggregate(at=Min("last_event_at"))["at"]
    return [([], seconds_since(oldest))]


def seconds_since(moment: datetime | None) -> float:
    """0 where there is no such moment."""
    return 0.0 if moment is None else (timezone.now() - moment).total_seconds()


def coverage() -> list[Row]:
    """By what was estimated: time, memory."""
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
    """As uploaded and as trained; what normalising makes of it comes on top."""
    datasets = Dataset.objects.aggregate(n=Sum("file_size"))["n"]
    adapters = Adapter.objects.filter(deleted_at=None).aggregate(n=Sum("size_bytes"))
    return [(["datasets"], datasets or 0), (["adapters"], adapters["n"] or 0)]


# Name: words, labels, and where the values come from.
FIGURES: dict[str, tuple[str, tuple[str, ...], Callable[[], list[Row]]]] = {
    "jobs": ("Jobs by status.", ("status",), jobs),
    "queue_oldest_seconds": ("How long the first of the queue waits.", (), oldest_wait),
    "slots": ("Devices by GPU type and use.", ("gpu_type", "state"), slots),
    "run_attempts": ("Run attempts that ended, by outcome.", ("outcome",), attempts),
    "ingest_lag_seconds": (
        "Longest time since a run under way was last heard of.",
        (),
        ingest_lag,
    ),
    "estimate_coverage_ratio": (
        "Share of finished runs inside the 80 % range that was shown.",
        ("target",),
        coverage,
    ),
    "heartbeat_age_seconds": (
        "Since worker and reconciler showed that they work; -1: never.",
        ("process",),
        heartbeats,
    ),
    "machine_draining": ("1 while nothing new starts there.", ("machine",), draining),
    "stored_bytes": ("Bytes by kind of file.", ("kind",), stored),
}
