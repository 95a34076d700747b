"""Fits the constants: damped Gauss-Newton on logarithms, robust, with a prior on each.

Plain Python on purpose: twenty constants and three hundred rows take a second or two,
and neither the product nor its tests need a numerical library for it.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log, sqrt

from tests.benchmarks.estimator.rows import Row

Values = Mapping[str, float]
STEP = 1e-4
ROWS_PER_SOURCE = 40
"""A source with more rows than this counts as this many: one repository gives over half
of the table and would else decide every constant."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prior:
    """A starting value and how far, as a factor's logarithm, it may be off."""

    value: float
    spread: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """What is fitted to what: `predict` and `observe` give positive numbers.

    `scale` is the relative error from which a row counts as an outlier: beyond it its
    pull grows with the root of the distance only (soft L1).
    """

    priors: Mapping[str, Prior]
    predict: Callable[[Row, Values], float]
    observe: Callable[[Row], float]
    scale: float

    def residual(self, row: Row, values: Values) -> float:
        """ln(observed / predicted): positive when it took more than said."""
        return log(self.observe(row) / self.predict(row, values))


def fit(problem: Problem, rows: Sequence[Row], rounds: int = 25) -> dict[str, float]:
    """The constants that explain the rows best, pulled towards their priors."""
    per_source = Counter(row.source for row in rows)
    weight = [min(1.0, ROWS_PER_SOURCE / per_source[row.source]) for row in rows]
    names = list(problem.priors)
    start = [log(prior.value) for prior in problem.priors.values()]
    spreads = [prior.spread for prior in problem.priors.values()]
    point = list(start)
    damping = 1e-3
    cost = _cost(problem, rows, weight, names, point, start, spreads)
    for _ in range(rounds):
        change = _step(problem, rows, weight, names, point, start, spreads, damping)
        tried = [x + dx for x, dx in zip(point, change, strict=True)]
        after = _cost(problem, rows, weight, names, tried, start, spreads)
        if after < cost:
            settled = cost - after < 1e-5 * cost
            point, cost, damping = tried, after, damping / 4
            if settled:
                break
        else:
            damping *= 8
    return _values(names, point)


def _values(names: Sequence[str], point: Sequence[float]) -> dict[str, float]:
    return {name: exp(x) for name, x in zip(names, point, strict=True)}


def _cost(
    problem: Problem,
    rows: Sequence[Row],
    weight: Sequence[float],
    names: Sequence[str],
    point: Sequence[float],
    start: Sequence[float],
    spreads: Sequence[float],
) -> float:
    values = _values(names, point)
    prior = sum(
        ((x - x0) / s) ** 2 for x, x0, s in zip(point, start, spreads, strict=True)
    )
    data = sum(
        w * 2 * (sqrt(1 + (problem.residual(row, values) / problem.scale) ** 2) - 1)
        for row, w in zip(rows, weight, strict=True)
    )
    return prior + data


def _step(
    problem: Problem,
    rows: Sequence[Row],
    weight: Sequence[float],
    names: Sequence[str],
    point: Sequence[float],
    start: Sequence[float],
    spreads: Sequence[float],
    damping: float,
) -> list[float]:
    """One reweighted least-squares step: (J'WJ + P) dx = J'Wr + P (x0 - x)."""
    size = len(names)
    values = _values(names, point)
    moved = [
        _values(names, [x + STEP * (i == j) for j, x in enumerate(point)])
        for i in range(size)
    ]
    matrix = [[0.0] * size for _ in range(size)]
    target = [0.0] * size
    for row, w in zip(rows, weight, strict=True):
        residual = problem.residual(row, values)
        slope = [(residual - problem.residual(row, m)) / STEP for m in moved]
        pull = w / problem.scale**2 / sqrt(1 + (residual / problem.scale) ** 2)
        active = [i for i in range(size) if slope[i]]
        for i in active:
            target[i] += pull * slope[i] * residual
            for j in active:
                matrix[i][j] += pull * slope[i] * slope[j]
    for i in range(size):
        matrix[i][i] = matrix[i][i] * (1 + damping) + 1 / spreads[i] ** 2
        target[i] += (start[i] - point[i]) / spreads[i] ** 2
    return _solve(matrix, target)


def _solve(matrix: list[list[float]], target: list[float]) -> list[float]:
    """Gaussian elimination with pivots."""
    rows = [[*row, value] for row, value in zip(matrix, target, strict=True)]
    size = len(rows)
    for column in range(size):
        pivot = max(range(column, size), key=lambda i: abs(rows[i][column]))
        rows[column], rows[pivot] = rows[pivot], rows[column]
        for below in range(column + 1, size):
            factor = rows[below][column] / rows[column][column]
            rows[below] = [
                a - factor * b for a, b in zip(rows[below], rows[column], strict=True)
            ]
    solution = [0.0] * size
    for i in reversed(range(size)):
        known = sum(rows[i][j] * solution[j] for j in range(i + 1, size))
        solution[i] = (rows[i][size] - known) / rows[i][i]
    return solution
