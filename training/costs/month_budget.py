"""Notifies the owner at 80 % and 100 % of the monthly budget."""

from decimal import Decimal

from lora_pipeline.models import User
from notifications.services import tell
from training.costs.budget import budget_of
from training.domain.budget import spent_percent
from training.domain.estimator.estimate import rounded
from training.models import CostRecord

KINDS = {80: "month_80", 100: "month_100"}


def watch_month(record: CostRecord) -> None:
    """Notify if this cost record crosses a threshold, in its transaction.

    Locks the owner's row, so that of two jobs ending at once only one notifies.
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
