"""Monthly budgets: the amount reserved for open jobs, and whether one more fits."""

from dataclasses import dataclass
from decimal import Decimal

HOLD_FACTOR = Decimal("1.25")
"""Reserved per estimated USD without a cap: headroom for a slower run."""

WARNED_PERCENT = 80


def spent_percent(*, spent_usd: Decimal, max_cost: Decimal) -> int:
    """The highest notification threshold of a cap that was reached: 0, 80 or 100.

    A free job never reaches a cap, not even one of 0.
    """
    if spent_usd <= 0:
        return 0
    if spent_usd >= max_cost:
        return 100
    return WARNED_PERCENT if spent_usd * 100 >= max_cost * WARNED_PERCENT else 0


def hold_usd(
    *, estimated_usd: Decimal, max_cost: Decimal | None, high_usd: Decimal | None = None
) -> Decimal:
    """The most a job may cost, in USD.

    Its cap when it has one, else the upper end of its 80 % interval, else 1.25 x its
    estimate.
    """
    if max_cost is not None:
        return max_cost
    return estimated_usd * HOLD_FACTOR if high_usd is None else high_usd


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """A user's month in USD: limit, spend and the amount reserved for open jobs."""

    limit_usd: Decimal
    spent_usd: Decimal
    held_usd: Decimal

    @property
    def warn_usd(self) -> Decimal:
        """80 % of the limit."""
        return self.limit_usd * WARNED_PERCENT / 100

    @property
    def free_usd(self) -> Decimal:
        return max(self.limit_usd - self.spent_usd - self.held_usd, Decimal(0))

    def allows(self, needed_usd: Decimal) -> bool:
        """Whether a job that reserves this much still fits; free jobs always do."""
        return needed_usd <= 0 or needed_usd <= self.free_usd
