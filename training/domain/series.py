"""Metric series: thinning that keeps peaks, smoothing, divergence checks."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite

Point = tuple[int, float]
SMOOTHING = 0.9
WATCH_WEIGHT = 0.8
WATCHED_FROM_STEP = 10
EXPLODED_FACTOR = 2.0
EXPLODED_BY = 0.5


def downsample(points: Sequence[Point], most: int) -> list[Point]:
    """At most `most` points in order: the first, the last and, from each of the equal
    intervals in between, the lowest, the highest and the last.

    Averaging or even sampling would hide a single spike in the loss. `most` is at least
    5; a series that is short enough is returned unchanged.
    """
    if len(points) <= most:
        return list(points)
    inner, buckets = points[1:-1], (most - 2) // 3
    kept = {0, len(points) - 1}
    for n in range(buckets):
        start = 1 + n * len(inner) // buckets
        end = 1 + (n + 1) * len(inner) // buckets
        places = range(start, end)
        kept |= {
            min(places, key=lambda place: points[place][1]),
            max(places, key=lambda place: points[place][1]),
            end - 1,
        }
    return [points[place] for place in sorted(kept)]


def smoothed(points: Sequence[Point], weight: float = SMOOTHING) -> list[Point]:
    """Exponential moving average with bias correction.

    s_n = w s_(n-1) + (1 - w) y_n with s_0 = 0, divided by 1 - w^n: the mean of all
    values so far with weights that fall by w a step (Kingma and Ba 2015, section 3).
    """
    found, sum_, left = [], 0.0, 1.0
    for step, value in points:
        sum_ = weight * sum_ + (1 - weight) * value
        left *= weight
        found.append((step, sum_ / (1 - left)))
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class LossWatch:
    """State of the loss check: the moving average and its lowest value so far."""

    average: float | None = None
    lowest: float | None = None

    def after(self, loss: float) -> "LossWatch":
        """The state after one more step."""
        w = WATCH_WEIGHT
        average = loss if self.average is None else w * self.average + (1 - w) * loss
        lowest = average if self.lowest is None else min(self.lowest, average)
        return LossWatch(average=average, lowest=lowest)

    @property
    def has_exploded(self) -> bool:
        """The average is more than twice its lowest value, and 0.5 above it.

        Both thresholds are our choice: a loss near zero doubles by noise, and a loss of
        8 that has risen by 0.5 has not exploded. Too high a learning rate shows within
        about five steps, the reach of an average of weight 0.8.
        """
        if self.average is None or self.lowest is None:
            return False
        rise = self.average - self.lowest
        return rise > EXPLODED_BY and self.average > EXPLODED_FACTOR * self.lowest


def loss_problem(watch: LossWatch, loss: float | None, step: int) -> str:
    """A warning about the loss of a step; empty if it is fine."""
    if loss is None or not isfinite(loss):
        return (
            f"The loss is NaN or infinite at step {step}: further training "
            "is useless. Cancel the job and start it again with a lower "
            "learning rate."
        )
    if step >= WATCHED_FROM_STEP and watch.has_exploded:
        return (
            f"The loss has exploded at step {step}: its average is {watch.average:.2f} "
            f"and was as low as {watch.lowest:.2f}. A lower learning rate or a longer "
            "warmup usually helps."
        )
    return ""
