"""Fixed costs of a run as own runs showed them."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from math import exp

from training.domain.calibration import Cell
from training.domain.duration import OVERHEAD_SPREAD, Overheads

RUN_SPREAD = 0.3
"""How far one run's fixed cost is off its machine's usual one, as a factor's log."""

PER_SECOND = frozenset({"load_bytes_per_second", "write_bytes_per_second"})
LEARNED = (
    "start_seconds",
    "prepare_seconds_per_pair",
    "load_bytes_per_second",
    "first_step_seconds",
    "write_seconds",
    "save_seconds",
)
"""Which of the fixed costs a run reports; a cell's target is the cost's name, its key
the GPU type, its residuals ln(seconds / seconds expected of the starting value)."""


def learned(start: Overheads, cells: Mapping[str, Sequence[Cell]]) -> Overheads:
    """The starting values, each pulled towards what runs took.

    The mean residual m of n runs is believed by the weight n s^2 / (n s^2 + r^2), s the
    spread of the starting value (OVERHEAD_SPREAD) and r that of a single run: after one
    run two thirds of the way. All GPU types of this console count alike, since imports,
    disk and tokenizing are the machine's.
    """
    values = {}
    for name in LEARNED:
        runs = sum(cell.count for cell in cells.get(name, ()))
        if not runs:
            continue
        mean = sum(cell.total for cell in cells[name]) / runs
        weight = runs * OVERHEAD_SPREAD**2
        factor = exp(mean * weight / (weight + RUN_SPREAD**2))
        factor = 1 / factor if name in PER_SECOND else factor
        values[name] = getattr(start, name) * factor
    return replace(start, **values)
