"""Charges for runs."""

from decimal import Decimal

from django.db.models import Sum

from training.costs.month_budget import watch_month
from training.domain.estimator.estimate import rounded
from training.models import CostRecord, TrainingJob


def reach_usd(job: TrainingJob) -> Decimal:
    """The job's cost if it ended now with its adapter stored."""
    return compute_usd(job) + job.storage_usd


def record_cost(job: TrainingJob, storage: Decimal) -> None:
    """Record the job's final cost."""
    compute = rounded(compute_usd(job))
    record = CostRecord.objects.create(
        job=job,
        running_seconds=job.running_seconds,
        compute_usd=compute,
        storage_usd=storage,
        total_usd=compute + storage,
    )
    watch_month(record)


def compute_usd(job: TrainingJob) -> Decimal:
    """Charged run time so far, at the frozen price of all reserved GPUs."""
    hours = Decimal(job.running_seconds) / 3600
    return hours * job.usd_per_gpu_hour * job.gpu_count


def charged_seconds(job: TrainingJob) -> float:
    """Run time of charged attempts; attempts lost through our fault are free."""
    charged = job.attempts.filter(charged=True)
    return float(charged.aggregate(seconds=Sum("running_seconds"))["seconds"] or 0.0)
