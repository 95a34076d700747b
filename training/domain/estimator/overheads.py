"""Fixed costs of a run as own runs showed them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import exp, log

from training.domain.estimator.calibration import Cell
from training.domain.estimator.duration import OVERHEAD_SPREAD, DurationParts, Overheads

RUN_SPREAD = 0.3
"""How far one run's fixed cost is off its machine's usual one, as a factor's log."""

SHORTEST_SECONDS = 0.05
"""What takes less is not worth learning from: its logarithm would be mostly noise."""

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
seconds expected of the starting value)."""


def learned(start: Overheads, cells: Mapping[str, Sequence[Cell]]) -> Overheads:
    """The starting values, each pulled towards what runs took.

    The mean residual m of n runs is believed by the weight n s^2 / (n s^2 + r^2), s the
    spread of the starting value (OVERHEAD_SPREAD) and r that of a single run: after one
    run two thirds of the way. All GPU types of this console count alike, since imports,
    disk and tokenizing are the machine's.
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
    """What a run adds to the cells, by part: against the starting values.

    `expected` was computed with `used`, which earlier runs had already moved.
    """
    found = {}
    for part, name in LEARNED.items():
        seconds, said = measured.get(part, 0.0), getattr(expected, part)
        if min(seconds, said) >= SHORTEST_SECONDS:
            moved = log(getattr(used, name) / getattr(start, name))
            found[part] = log(seconds / said) + moved
    return found
