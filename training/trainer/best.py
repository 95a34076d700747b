"""The best evaluation of a run, and how long ago it was.

All of it follows from the losses that a checkpoint keeps in `trainer_state.json`, so a
resumed run knows the best, and where its patience stood, without a state of its own.
"""

import json
from collections.abc import Iterable
from math import inf
from pathlib import Path
from typing import Any

STATE = "trainer_state.json"
History = list[dict[str, Any]]
Evaluation = tuple[int, float]


def evaluations(history: History) -> list[Evaluation]:
    """Step and validation loss of every evaluation."""
    return [(e["step"], e["eval_loss"]) for e in history if "eval_loss" in e]


def best_step(found: Iterable[Evaluation]) -> int | None:
    """The step with the lowest loss, the first of equal ones; NaN is never best."""
    best, step = inf, None
    for at, loss in found:
        if loss < best:
            best, step = loss, at
    return step


def without_gain(found: Iterable[Evaluation], smallest_gain: float) -> int:
    """The number of evaluations since one that was lower than all before it by more
    than `smallest_gain`.

    >>> without_gain([(1, 3.0), (2, 2.0), (3, 1.9), (4, 2.5)], 0.5)
    2
    """
    best, count = inf, 0
    for _, loss in found:
        count = 0 if loss < best - smallest_gain else count + 1
        best = min(best, loss) if loss == loss else best
    return count


def history_of(checkpoint: Path) -> History:
    """What a checkpoint's run had logged by then."""
    found: History = json.loads((checkpoint / STATE).read_text())["log_history"]
    return found
