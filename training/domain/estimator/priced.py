"""Prices the model-aware estimate."""

from dataclasses import replace
from fractions import Fraction

from training.domain.estimator.estimate import Estimate
from training.domain.estimator.model_estimate import Interval, ModelEstimate


def priced(catalogue: Estimate, aware: ModelEstimate) -> Estimate:
    """The catalogue estimate with hours, steps and speed from the model-aware one.

    Prices are the same: compute = hours x hourly rate, plus storage. The original
    figures stay available as `catalogue`.
    """
    hours = Fraction(aware.hours.expected)
    return replace(
        catalogue,
        basis=aware.basis,
        steps_per_epoch=aware.steps_per_epoch,
        total_steps=aware.total_steps,
        tokens_per_second=max(round(aware.tokens_per_second), 1),
        hours=hours,
        compute_usd=hours * catalogue.hourly_usd,
        aware=aware,
        catalogue=catalogue,
    )


def cost_interval(estimate: Estimate) -> Interval | None:
    """The 80 % interval of the final cost in USD; None without one for the hours.

    Only the hours are uncertain; storage is fixed.
    """
    if estimate.aware is None or estimate.catalogue is None:
        return None
    hours, rate = estimate.aware.hours, float(estimate.hourly_usd)
    storage = float(estimate.storage_usd)
    return Interval(
        low=hours.low * rate + storage,
        expected=hours.expected * rate + storage,
        high=hours.high * rate + storage,
    )


def at_most_words(patience: int | None) -> tuple[str, ...]:
    """A note that the run may end before its last step; empty without patience."""
    if patience is None:
        return ()
    times = "evaluation" if patience == 1 else "evaluations"
    return (
        f"Steps, time and cost are at most these: the run ends early after {patience} "
        f"{times} without a lower validation loss. The low end of the range is that of "
        "the fewest steps.",
    )


def packing_words(pairs: int, rows: int, max_length: int) -> str:
    """A note that steps are counted after packing."""
    return (
        f"Packing puts {pairs:,} sequences into {rows:,} rows of up to "
        f"{max_length:,} tokens; the steps are counted in rows."
    )
