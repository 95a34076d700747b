"""Calibrates the fixed costs of a run on own runs."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import exp, log

from training.domain.estimator.calibration import Cell
from training.domain.estimator.duration import OVERHEAD_SPREAD, DurationParts, Overheads

RUN_SPREAD = 0.3
"""Log standard deviation of one run's fixed cost around its machine's usual one."""

SHORTEST_SECONDS = 0.05
"""Shorter measurements are ignored: their logarithm would be mostly noise."""

LEARNED: dict[str, str] = {
    "start": "start_seconds",
    "prepare_data": "prepare_seconds_per_pair",
    "load_model": "load_seconds",
    "first_step": "first_step_seconds",
    "checkpoints": "write_seconds",
    "save": "save_seconds",
}
"""Parts of the duration that a run reports, and the constant behind each. A cell's
target is the part's name, its key the GPU type; its residuals are ln(measured seconds /
seconds predicted from the initial value)."""


def learned(start: Overheads, cells: Mapping[str, Sequence[Cell]]) -> Overheads:
    """The initial values, each moved towards the measurements.

    The mean residual m of n runs gets the weight n s^2 / (n s^2 + r^2), with s the
    spread of the initial value (OVERHEAD_SPREAD) and r that of a single run: two thirds
    of the way after one run. All GPU types of this console count equally, because
    imports, disk and tokenizing depend on the machine.
    """
    values = {}
    for part, name in LEARNED.items():
        runs = sum(cell.count for cell in cells.get(part, ()))
        if runs:
            mean = sum(cell.total for cell in cells[part]) / runs
            weight = runs * OVERHEAD_SPREAD**2
            factor = exp(mean * weight / (weight + RUN_SPREAD**2))
            values[name] = getattr(start, name) * factor
    return replace(start, **values)


def overhead_residuals(
    measured: Mapping[str, float],
    expected: DurationParts,
    used: Overheads,
    start: Overheads,
) -> dict[str, float]:
    """A run's residuals by part, relative to the initial values.

    `expected` was computed with `used`, which earlier runs had already adjusted.
    """
    found = {}
    for part, name in LEARNED.items():
        seconds, said = measured.get(part, 0.0), getattr(expected, part)
        if min(seconds, said) >= SHORTEST_SECONDS:
            moved = log(getattr(used, name) / getattr(start, name))
            found[part] = log(seconds / said) + moved
    return found
