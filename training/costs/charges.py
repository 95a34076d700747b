"""What a run is charged."""

from decimal import Decimal

from django.db.models import Sum

from training.costs.month_budget import watch_month
from training.domain.estimator.estimate import rounded
from training.models import CostRecord, TrainingJob


def reach_usd(job: TrainingJob) -> Decimal:
    """What the job comes to if it ends now with its adapter stored."""
    return compute_usd(job) + job.storage_usd


def record_cost(job: TrainingJob, storage: Decimal) -> None:
    """Keep what the job came to, for the owner's books."""
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
    """Charged running time so far at the frozen price of all reserved GPUs."""
    hours = Decimal(job.running_seconds) / 3600
    return hours * job.usd_per_gpu_hour * job.gpu_count


def charged_seconds(job: TrainingJob) -> float:
    """Running time of the attempts that are charged: not of those that we lost."""
    charged = job.attempts.filter(charged=True)
    return float(charged.aggregate(seconds=Sum("running_seconds"))["seconds"] or 0.0)
