"""Costs by month and by job, with the estimates."""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from django.db.models import Count, QuerySet, Sum
from django.db.models.functions import TruncMonth
from django.utils import timezone

from lora_pipeline.models import User
from training.costs.budget import budget_of, month_start
from training.domain.budget import Budget
from training.models import CostRecord, TrainingJob

MONTH = re.compile(r"(?:19|20)\d{2}-(?:0[1-9]|1[0-2])", re.ASCII)
COLUMNS = (
    "ended",
    "job_id",
    "job",
    "status",
    "dataset",
    "gpu_type",
    "gpu_count",
    "running_seconds",
    "compute_usd",
    "storage_usd",
    "total_usd",
    "estimated_usd",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthCosts:
    """A calendar month of one user, in USD."""

    month: str
    jobs: int
    compute_usd: Decimal
    storage_usd: Decimal
    total_usd: Decimal
    estimated_usd: Decimal

    @property
    def starts(self) -> date:
        return date.fromisoformat(f"{self.month}-01")


@dataclass(frozen=True, slots=True, kw_only=True)
class Spend:
    """This month so far: finished jobs, running jobs and remaining budget."""

    spent_usd: Decimal
    running_usd: Decimal
    budget: Budget | None


def months_of(user: User) -> list[MonthCosts]:
    """Every month in which a job ended, newest first."""
    rows = (
        records_of(user)
        .annotate(month=TruncMonth("created_at"))
        .values("month")
        .order_by("-month")
        .annotate(
            jobs=Count("pk"),
            compute_usd=Sum("compute_usd"),
            storage_usd=Sum("storage_usd"),
            total_usd=Sum("total_usd"),
            estimated_usd=Sum("job__estimated_total_cost"),
        )
    )
    return [MonthCosts(**row | {"month": f"{row['month']:%Y-%m}"}) for row in rows]


def records_of(user: User, month: str = "") -> QuerySet[CostRecord]:
    """The user's cost records with their jobs, newest first; one month or all.

    Deleted jobs are included: their cost was real.
    """
    own = CostRecord.objects.filter(job__user=user).select_related("job__dataset")
    if month:
        start, end = month_bounds(month)
        own = own.filter(created_at__gte=start, created_at__lt=end)
    return own.order_by("-created_at", "-id")


def is_month(text: str) -> bool:
    """Whether a text is a month such as 2026-11."""
    return MONTH.fullmatch(text) is not None


def month_bounds(month: str) -> tuple[datetime, datetime]:
    """Start of the month and of the next one, in the console's time zone."""
    year, number = (int(part) for part in month.split("-"))
    later = (year + 1, 1) if number == 12 else (year, number + 1)
    zone = timezone.get_current_timezone()
    return datetime(year, number, 1, tzinfo=zone), datetime(*later, 1, tzinfo=zone)


def spend_of(user: User, open_jobs: Iterable[TrainingJob] | None = None) -> Spend:
    """A user's current month; pass `open_jobs` if already loaded."""
    if open_jobs is None:
        open_jobs = TrainingJob.objects.filter(user=user).open()
    limit = user.monthly_budget_usd
    budget = None if limit is None else budget_of(user, limit)
    return Spend(
        spent_usd=_spent(user) if budget is None else budget.spent_usd,
        running_usd=sum((job.current_cost for job in open_jobs), Decimal(0)),
        budget=budget,
    )


def _spent(user: User) -> Decimal:
    ended = records_of(user).filter(created_at__gte=month_start(timezone.now()))
    return ended.aggregate(usd=Sum("total_usd"))["usd"] or Decimal(0)


def table(records: QuerySet[CostRecord]) -> Iterator[tuple[object, ...]]:
    """The rows of the CSV, under COLUMNS."""
    for record in records.iterator(chunk_size=500):
        job = record.job
        yield (
            record.created_at.isoformat(),
            job.pk,
            job.name,
            job.status,
            job.dataset.name,
            job.gpu_type,
            job.gpu_count,
            round(record.running_seconds, 1),
            record.compute_usd,
            record.storage_usd,
            record.total_usd,
            job.estimated_total_cost,
        )
