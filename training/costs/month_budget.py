"""The month's budget: its owner is told when 80 % and when all of it is spent."""

from decimal import Decimal

from lora_pipeline.models import User
from notifications.services import tell
from training.costs.budget import budget_of
from training.domain.budget import spent_percent
from training.domain.estimator.estimate import rounded
from training.models import CostRecord

KINDS = {80: "month_80", 100: "month_100"}


def watch_month(record: CostRecord) -> None:
    """Tell what this cost record made true, as part of its transaction.

    Holds the owner's row, so that of two jobs that end at once only one crosses a line.
    """
    user = User.objects.select_for_update().get(pk=record.job.user_id)
    limit = user.monthly_budget_usd
    if limit is None or record.total_usd <= 0:
        return
    spent = budget_of(user, limit).spent_usd
    before = spent_percent(spent_usd=spent - record.total_usd, max_cost=limit)
    if (reached := spent_percent(spent_usd=spent, max_cost=limit)) > before:
        _tell(user, KINDS[reached], spent, limit)


def _tell(user: User, kind: str, spent: Decimal, limit: Decimal) -> None:
    values = {"spent_usd": str(rounded(spent)), "budget_usd": str(rounded(limit))}
    tell(user_id=user.pk, kind=kind, values=values, action_url="/costs")
