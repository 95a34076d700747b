"""Data of the fleet page: slots, queue, runs, failures, coverage, spend.

Each part is one query, whatever the size of the tables; lists are truncated.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from django.contrib.postgres.expressions import ArraySubquery
from django.db.models import (
    Case,
    Count,
    Exists,
    F,
    OuterRef,
    Q,
    Sum,
    Value,
    When,
    Window,
)
from django.db.models.functions import JSONObject

from training.costs.budget import month_start
from training.domain import lifecycle
from training.estimates.calibration import MEMORY, TIME
from training.models import (
    CalibrationScore,
    CostRecord,
    DeviceClaim,
    GpuOffer,
    Machine,
    RunAttempt,
    TrainingJob,
)
from training.operators.estimator_page import WINDOW, Coverage, coverage_of

SHOWN, SPENDERS = 100, 20
WIDE = (
    "hyperparameters", "current_metrics", "plan", "estimate", "remaining", "suggestion",
    "error_stack",
)  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """One device; `job` is the job that holds it."""

    device: str
    job: dict[str, Any] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """The devices of one type on one machine; a draining machine starts no runs."""

    machine: str
    is_draining: bool
    gpu_type: str
    slots: list[Slot]

    @property
    def used(self) -> int:
        return sum(slot.job is not None for slot in self.slots)

    @property
    def free(self) -> int:
        return len(self.slots) - self.used


def machines() -> list[Offer]:
    """Every offered device and the job on it."""
    job = {"id": "attempt__job_id", "name": "attempt__job__name"}
    job |= {"status": "attempt__job__status", "user": "attempt__job__user__username"}
    claims = DeviceClaim.objects.filter(backend=OuterRef("backend"))
    held = ArraySubquery(claims.values(held=JSONObject(device="device", **job)))
    draining = Machine.objects.filter(
        pk=OuterRef("backend"), draining_since__isnull=False
    )
    offers = GpuOffer.objects.annotate(
        held=held, is_draining=Exists(draining)
    ).order_by("backend", "gpu_type_id")
    return [
        _offer(offer, {job["device"]: job for job in offer.held}) for offer in offers
    ]


def _offer(offer: Any, holders: dict[str, dict[str, Any]]) -> Offer:
    slots = [Slot(device=name, job=holders.get(name)) for name in offer.device_ids]
    return Offer(
        machine=offer.backend,
        is_draining=offer.is_draining,
        gpu_type=offer.gpu_type_id,
        slots=slots,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenJobs:
    """Running jobs, and queued jobs by expected start."""

    running: list[TrainingJob] = field(default_factory=list)
    waiting: list[TrainingJob] = field(default_factory=list)
    paused: int = 0
    running_count: int = 0
    waiting_count: int = 0


def open_jobs() -> OpenJobs:
    """Running jobs first, then the queue as stored on the jobs by the reconciler.

    The queue is ordered by expected start; jobs without one wait for a machine.
    """
    of_state = Window(Count("pk"), partition_by=[F("state")])
    jobs = (
        TrainingJob.objects.open()
        .annotate(state=_state())
        .annotate(of_state=of_state)
        .select_related("user")
        .defer(*WIDE)
        .order_by(
            "state",
            F("expected_start_at").asc(nulls_last=True),
            F("queue_position").asc(nulls_last=True),
            "-priority",
            "queued_at",
        )
    )
    by_state: dict[int, list[Any]] = {0: [], 1: [], 2: []}
    listed: list[Any] = list(jobs[: 2 * SHOWN])
    for job in listed:
        by_state[job.state].append(job)
    counts = [rows[0].of_state if rows else 0 for rows in by_state.values()]
    return OpenJobs(
        running=by_state[0][:SHOWN],
        waiting=by_state[1][:SHOWN],
        running_count=counts[0],
        waiting_count=counts[1],
        paused=counts[2],
    )


def _state() -> Case:
    return Case(
        When(status__in=sorted(lifecycle.ACTIVE), then=Value(0)),
        When(status=lifecycle.QUEUED, then=Value(1)),
        default=Value(2),
    )


@dataclass(slots=True, kw_only=True)
class Failures:
    """Failures of runs and jobs for one reason in the last day, week and 30 days."""

    reason: str
    runs: tuple[int, int, int] = (0, 0, 0)
    jobs: tuple[int, int, int] = (0, 0, 0)


def failures(now: datetime) -> list[Failures]:
    """By reason, most frequent first. A failed run may have been retried with success,
    a failed job was not.
    """
    runs = RunAttempt.objects.exclude(failure_kind="")
    jobs = TrainingJob.objects.filter(status=lifecycle.FAILED)
    found: dict[str, Failures] = {}
    counted = _counted(runs, "ended_at", "runs", now)
    for row in counted.union(_counted(jobs, "completed_at", "jobs", now), all=True):
        reason = row["failure_kind"] or "other"
        one = found.setdefault(reason, Failures(reason=reason.replace("_", " ")))
        setattr(one, row["of"], (row["day"], row["week"], row["month"]))
    return sorted(found.values(), key=lambda one: one.runs[2] + one.jobs[2])[::-1]


def _counted(rows: Any, moment: str, of: str, now: datetime) -> Any:
    def since(days: int) -> Q:
        return Q(**{f"{moment}__gte": now - timedelta(days=days)})

    return (
        rows.filter(since(30))
        .order_by()
        .values("failure_kind")
        .annotate(
            of=Value(of),
            day=Count("pk", filter=since(1)),
            week=Count("pk", filter=since(7)),
            month=Count("pk"),
        )
    )


def coverage() -> list[Coverage]:
    """The coverage of the latest intervals, for time and memory."""
    scores = CalibrationScore.objects.order_by("-id").values_list("target", "inside")
    latest = [scores.filter(target=name)[: 2 * WINDOW] for name in (TIME, MEMORY)]
    rows = list(latest[0].union(latest[1], all=True))[::-1]
    return [
        coverage_of(name, [inside for target, inside in rows if target == name])
        for name in (TIME, MEMORY)
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """One user's current month."""

    user: str
    jobs: int
    usd: Decimal
    budget_usd: Decimal | None

    @property
    def percent(self) -> int | None:
        """Percent of the budget, capped at 100; None without a budget."""
        if self.budget_usd is None:
            return None
        share = self.usd / self.budget_usd if self.budget_usd else Decimal(1)
        return min(int(100 * share), 100)


def spent(now: datetime) -> list[Spent]:
    """Users by spend this month, without amounts reserved for open jobs."""
    rows: Iterable[Any] = (
        CostRecord.objects.filter(created_at__gte=month_start(now))
        .order_by()
        .values(
            user=F("job__user__username"), budget_usd=F("job__user__monthly_budget_usd")
        )
        .annotate(usd=Sum("total_usd"), jobs=Count("pk"))
        .order_by("-usd", "user")[:SPENDERS]
    )
    return [Spent(**row) for row in rows]
