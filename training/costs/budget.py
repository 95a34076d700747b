"""The budget guard: rejects jobs that exceed the owner's monthly budget."""

from datetime import datetime
from decimal import Decimal

from django.db.models import DecimalField, F, Sum, Value
from django.db.models.functions import Coalesce, Greatest
from django.utils import timezone

from lora_pipeline.errors import Rule
from lora_pipeline.models import User
from training.domain.budget import HOLD_FACTOR, Budget
from training.domain.estimator.estimate import rounded
from training.models import CostRecord, TrainingJob

USD = DecimalField(max_digits=16, decimal_places=6)
BUDGET = Rule(
    code="budget",
    words="The job may come to {needed_usd} USD, and {free_usd} of this month's "
    "{budget_usd} USD are free. Choose a cheaper configuration, set a lower max_cost, "
    "or ask an operator.",
    when="The month's budget does not allow it; the numbers say why.",
    status_code=402,
    example={"needed_usd": "31.88", "free_usd": "20.00", "budget_usd": "50.00"},
)


def require_budget(
    *, owner: User, needed_usd: Decimal, besides: TrainingJob | None = None
) -> None:
    """Check the budget, locking the owner's row so that two jobs cannot both pass.

    `besides` is a job whose current reservation the new one replaces.
    Raises Refusal (402) with the numbers if the budget does not cover the job.
    """
    user = User.objects.select_for_update().get(pk=owner.pk)
    if user.monthly_budget_usd is None:
        return
    budget = budget_of(user, user.monthly_budget_usd, besides)
    if budget.allows(needed_usd):
        return
    numbers = {
        "budget_usd": rounded(budget.limit_usd),
        "spent_usd": rounded(budget.spent_usd),
        "held_usd": rounded(budget.held_usd),
        "free_usd": rounded(budget.free_usd),
        "needed_usd": rounded(needed_usd),
    }
    raise BUDGET.refusal(details=numbers, **numbers)


def budget_of(
    user: User, limit_usd: Decimal, besides: TrainingJob | None = None
) -> Budget:
    """The user's current month, excluding one job."""
    records = CostRecord.objects.filter(
        job__user=user, created_at__gte=month_start(timezone.now())
    )
    planned = Coalesce(
        F("max_cost"),
        F("estimated_high_cost"),
        F("estimated_total_cost") * Value(HOLD_FACTOR),
    )
    hold = Greatest(planned, F("current_cost"))
    open_jobs = TrainingJob.objects.filter(user=user).open()
    if besides is not None:
        open_jobs = open_jobs.exclude(pk=besides.pk)
    spent = records.aggregate(usd=Sum("total_usd"))["usd"]
    held = open_jobs.aggregate(usd=Sum(hold, output_field=USD))["usd"]
    return Budget(
        limit_usd=limit_usd, spent_usd=spent or Decimal(0), held_usd=held or Decimal(0)
    )


def month_start(now: datetime) -> datetime:
    """Start of the month, in the console's time zone."""
    local = timezone.localtime(now)
    return local.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
