"""Errors of the estimator on sources that its constants have not seen."""

import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import combinations
from math import expm1, log, sqrt
from statistics import fmean, median

from tests.benchmarks.estimator.fit import Problem, Values, fit
from tests.benchmarks.estimator.problems import MEMORY, TIME, time_constants
from tests.benchmarks.estimator.rows import Row, measured
from training.domain.estimator import fitted
from training.domain.estimator.calibration import Cell, believe, cell_key
from training.domain.estimator.memory import GIB, MemoryParts, judge
from training.domain.estimator.throughput import micro_batch_seconds, relative_spread

DRAWS = 20
LEARNED_FROM = (1, 2, 3)
COVERAGE = 0.8


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is evaluated: rows, problem, and how far predictions may be off."""

    problem: Problem
    rows: tuple[Row, ...]
    spreads: Callable[[Row, Values], tuple[float, ...]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """One held-out row: its residual, and how many standard deviations that is."""

    row: Row
    residual: float
    sigma: float
    multiplier: float

    @property
    def error(self) -> float:
        """|measured / predicted - 1|."""
        return abs(expm1(self.residual))

    @property
    def covered(self) -> bool:
        return abs(self.residual) <= self.multiplier * self.sigma

    @property
    def half_width(self) -> float:
        return expm1(self.multiplier * self.sigma)


def _time_spreads(row: Row, values: Values) -> tuple[float, ...]:
    seconds = micro_batch_seconds(
        row.architecture, row.method, row.hardware, row.batch, time_constants(values)
    )
    levels = fitted.TIME_SPREADS.for_evidence(row.hardware.evidence)
    doubt = relative_spread(row.architecture, seconds)
    return (*levels[:-1], sqrt(levels[-1] ** 2 + doubt**2))


def _memory_spreads(row: Row, values: Values) -> tuple[float, ...]:
    return fitted.MEMORY_SPREADS.for_evidence(row.hardware.evidence)


@cache
def time_task() -> Task:
    """All rows with a published rate."""
    rows = tuple(row for row in measured() if row.timed)
    return Task(problem=TIME, rows=rows, spreads=_time_spreads)


@cache
def memory_task() -> Task:
    """All one-card rows with a published peak, but for those that ran out of it."""
    rows = tuple(
        r for r in measured() if r.weighed and r.peak_gib and not r.out_of_memory
    )
    return Task(problem=MEMORY, rows=rows, spreads=_memory_spreads)


def sources(rows: Iterable[Row]) -> list[str]:
    """Repositories in a fixed order."""
    return sorted({row.source for row in rows})


def without(rows: Sequence[Row], *left_out: str) -> list[Row]:
    """The rows of all other sources."""
    return [row for row in rows if row.source not in left_out]


def held_out(task: Task) -> tuple[list[Outcome], dict[str, dict[str, float]]]:
    """Each source predicted without it, constants and interval width refitted."""
    outcomes: list[Outcome] = []
    constants = {}
    for source in sources(task.rows):
        others = without(task.rows, source)
        values = constants[source] = fit(task.problem, others)
        width = interval_width(task, others)
        mine = [row for row in task.rows if row.source == source]
        outcomes += [_outcome(task, row, values, width) for row in mine]
    return outcomes, constants


def interval_width(task: Task, rows: Sequence[Row]) -> float:
    """The multiplier that covered 80 % when each of these sources was held out.

    Every source weighs the same. The one that is judged with it is not among them.
    """
    scored: list[tuple[float, float]] = []
    for source in sources(rows):
        values = fit(task.problem, without(rows, source))
        mine = [row for row in rows if row.source == source]
        for row in mine:
            outcome = _outcome(task, row, values, 1.0)
            scored.append((abs(outcome.residual) / outcome.sigma, 1 / len(mine)))
    return _quantile(scored)


def _quantile(weighted: list[tuple[float, float]]) -> float:
    reached, goal = 0.0, COVERAGE * sum(weight for _, weight in weighted)
    for value, weight in sorted(weighted):
        reached += weight
        if reached >= goal:
            return value
    raise AssertionError("no residuals")


def _outcome(task: Task, row: Row, values: Values, width: float) -> Outcome:
    belief = believe((), _key(row), task.spreads(row, values))
    return Outcome(
        row=row,
        residual=_residual(task, row, values),
        sigma=belief.sigma,
        multiplier=width,
    )


def _residual(task: Task, row: Row, values: Values) -> float:
    """ln(measured / predicted); a reading of memory cannot exceed the card."""
    if task.problem is not MEMORY:
        return task.problem.residual(row, values)
    capacity = row.hardware.capacity_gib or float("inf")
    predicted = min(task.problem.predict(row, values), capacity)
    return log(task.problem.observe(row) / predicted)


def _key(row: Row) -> tuple[str, ...]:
    model, method = row.label.split("|")
    return cell_key(
        gpu=row.hardware.name,
        stack=row.source,
        method=method,
        model=model,
        processes=row.batch.processes,
        tokens=row.batch.tokens,
    )


def after_runs(
    task: Task, constants: dict[str, dict[str, float]], number: int
) -> list[Outcome]:
    """Rows of held-out sources after this many runs of same GPU, stack, method, model.

    All the others of the cell are predicted, for twenty draws of those learned from.
    """
    outcomes: list[Outcome] = []
    for cell, rows in _cells(task.rows).items():
        if len(rows) <= number:
            continue
        values = constants[rows[0].source]
        draws = random.Random(f"{cell} {number}")
        for _ in range(DRAWS):
            known = draws.sample(rows, number)
            outcomes += _learned(task, values, rows, known)
    return outcomes


def _cells(rows: Sequence[Row]) -> dict[tuple[str, ...], list[Row]]:
    found: dict[tuple[str, ...], list[Row]] = {}
    for row in rows:
        found.setdefault(_key(row)[:4], []).append(row)
    return found


def _learned(
    task: Task, values: Values, rows: list[Row], known: list[Row]
) -> list[Outcome]:
    cells: dict[tuple[str, ...], Cell] = {}
    for row in known:
        key = _key(row)
        cell = cells.get(key, Cell(key=key, count=0, total=0.0, squares=0.0))
        cells[key] = cell.with_run(_residual(task, row, values))
    outcomes = []
    for row in rows:
        if row not in known:
            belief = believe(list(cells.values()), _key(row), task.spreads(row, values))
            residual = _residual(task, row, values)
            outcomes.append(
                Outcome(
                    row=row,
                    residual=residual - belief.mean,
                    sigma=belief.sigma,
                    multiplier=fitted.TIME_SPREADS.multiplier_with_runs,
                )
            )
    return outcomes


def false_fits(constants: dict[str, dict[str, float]]) -> tuple[int, int]:
    """Runs out of memory on one card that are called fitting, and all of them."""
    lost = [row for row in measured() if row.weighed and row.out_of_memory]
    wrong = 0
    for row in lost:
        gib = MEMORY.predict(row, constants[row.source])
        parts = MemoryParts(
            weights=gib * GIB, adapters=0, checkpoints=0, activations=0, context=0
        )
        sigma = believe((), _key(row), fitted.MEMORY_SPREADS.levels).sigma
        verdict = judge(parts, available_gib=row.hardware.capacity_gib, sigma=sigma)
        wrong += verdict.verdict == "fits"
    return wrong, len(lost)


def repeats(task: Task) -> list[float]:
    """Relative difference of every two rows of one source with the same settings.

    What a source itself does not repeat, nobody can predict.
    """
    alike: dict[tuple[object, ...], list[float]] = {}
    for row in task.rows:
        settings = (row.stack, row.batch, row.method, row.architecture)
        alike.setdefault(settings, []).append(task.problem.observe(row))
    return [
        max(pair) / min(pair) - 1
        for values in alike.values()
        for pair in combinations(values, 2)
    ]


def is_large_and_dense(outcome: Outcome) -> bool:
    """Dense models at 2 048 tokens or more a micro-batch."""
    row = outcome.row
    return not row.architecture.is_mixture and row.batch.tokens >= 2048


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """Percentages over some outcomes."""

    rows: int
    median: float
    mean: float
    covered: float
    half_width: float


def summarise(outcomes: Sequence[Outcome]) -> Summary:
    """Error, coverage of the 80 % interval, and its median half-width, in percent."""
    errors = [outcome.error for outcome in outcomes]
    return Summary(
        rows=len(outcomes),
        median=100 * median(errors),
        mean=100 * fmean(errors),
        covered=100 * fmean(outcome.covered for outcome in outcomes),
        half_width=100 * median(outcome.half_width for outcome in outcomes),
    )
