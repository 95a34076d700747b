"""A job's cost cap: a warning at 80 %, then pausing with a checkpoint."""

from decimal import Decimal

from django.utils import timezone

from training.costs.charges import reach_usd
from training.domain.budget import spent_percent
from training.domain.estimator.estimate import rounded
from training.jobs import notices
from training.jobs.notices import tell
from training.jobs.transitions import record_log
from training.models import TrainingJob


def watch_cap(job: TrainingJob) -> None:
    """Notify the owner at 80 and 100 % of max_cost; at 100 % ask the run to pause.

    The caller saves the job. Time until the step ends and its checkpoint is saved is
    charged too.
    """
    if job.max_cost is None:
        return
    percent = spent_percent(spent_usd=reach_usd(job), max_cost=job.max_cost)
    if percent > job.budget_noticed_percent:
        job.budget_noticed_percent = percent
        _say(job, percent, job.max_cost)
    if percent == 100 and not job.stop_reason:
        job.pause_requested_at = timezone.now()
        job.pause_reason = "budget"


def _say(job: TrainingJob, percent: int, max_cost: Decimal) -> None:
    notice = notices.BUDGET_100 if percent == 100 else notices.BUDGET_80
    then = "; the job saves a checkpoint and pauses" if percent == 100 else ""
    words = (
        f"{rounded(reach_usd(job))} of the {rounded(max_cost)} USD cap used, "
        f"including adapter storage{then}"
    )
    record_log(job, words, level="warning")
    tell(job, notice, words)
