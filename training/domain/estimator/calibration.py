"""Calibration from finished runs: nested shrinkage, and intervals with true coverage.

A record's residual is y = ln(measured) - ln(predicted), of the seconds per step or of
the peak memory. Similar runs have similar residuals, so a cell's mean is trusted as far
as its number of runs justifies, and shrunk towards its parent's:

    GPU type -> stack -> method -> base model -> one GPU or many -> size of micro-batch

The last two cover what the physical model does not see of a stack: its collectives and
its behaviour with small micro-batches. Each level's value is its parent's plus a
normal deviation with the level's spread, each run its cell's plus noise. Count, sum and
sum of squares of each cell are all that is kept (they are sufficient), so ten thousand
runs cost what their few hundred cells cost.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import ceil, exp, log, pi, sqrt
from statistics import NormalDist

from training.domain.catalogue.gpus import NO_EVIDENCE, SIMILAR

LEVELS = ("gpu", "stack", "method", "model", "parallelism", "size")
NOISE = 0.04
NOISE_WEIGHT = 20
"""The same job on identical GPUs varies by 0.5 to 4 %: the prior noise, with the weight
of this many own runs."""

COVERAGE = 0.8
CONFORMAL_FROM = 30
CONFORMAL_WINDOW = 500

_NORMAL = NormalDist()

Key = tuple[str, ...]


def cell_key(
    *, gpu: str, stack: str, method: str, model: str, processes: int, tokens: float
) -> Key:
    """The cell of a run; sizes are powers of four tokens per micro-batch."""
    parallelism = "one" if processes == 1 else "many"
    return (gpu, stack, method, model, parallelism, f"4^{round(log(tokens, 4))}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """Statistics of all runs with one GPU type, stack, method and base model."""

    key: Key
    count: int
    total: float
    squares: float

    def with_run(self, residual: float) -> "Cell":
        """The cell with one more run added."""
        return Cell(
            key=self.key,
            count=self.count + 1,
            total=self.total + residual,
            squares=self.squares + residual**2,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spreads:
    """How far each level's values deviate from their parent's (standard deviations).

    `levels` by LEVELS; `gpu_without_evidence` replaces the first where no run on the
    GPU type, published or own, stands behind the constants, `gpu_similar` where only
    its chip's family was measured. `multiplier` is the half-width of the 80 % interval
    in standard deviations before any run of the cell, `multiplier_with_runs` after
    some; both until there are enough own residuals.
    """

    levels: tuple[float, ...]
    gpu_similar: float
    gpu_without_evidence: float
    multiplier: float
    multiplier_with_runs: float

    def for_evidence(self, evidence: str) -> tuple[float, ...]:
        """The levels' spreads for a GPU type with this kind of evidence."""
        first = {SIMILAR: self.gpu_similar, NO_EVIDENCE: self.gpu_without_evidence}
        return (first.get(evidence, self.levels[0]), *self.levels[1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """The expected residual of the next run, and its uncertainty.

    `variance` is that of the mean, `noise` a run's own standard deviation around it;
    `counts` by LEVELS: how many runs share the key up to that level.
    """

    mean: float
    variance: float
    noise: float
    counts: tuple[int, ...]

    @property
    def runs(self) -> int:
        """Number of runs with the same GPU type, stack, method and base model."""
        return self.counts[LEVELS.index("model")]

    @property
    def factor(self) -> float:
        """The factor that corrects a prediction."""
        return exp(self.mean)

    @property
    def sigma(self) -> float:
        """Standard deviation of the next run's residual."""
        return sqrt(self.variance + self.noise**2)


def believe(
    cells: Iterable[Cell],
    key: Key,
    spreads: Sequence[float],
    usual_noise: float = NOISE,
) -> Belief:
    """The posterior of the key's value: exact, in two passes over the tree.

    Up: every branch becomes one normal observation of its parent's value. Down the
    key's path: a node's value combines the belief about its parent, widened by the
    level's spread, with its other branches; at the end, with the cell's own runs.
    Without cells: mean 0 and the sum of the levels' variances. Only cells of the key's
    GPU type matter, because GPU types are treated as independent.
    """
    near = [cell for cell in cells if cell.key[0] == key[0]]
    noise = noise_of(near, usual_noise)
    said = _said_by_branches(near, spreads, noise)
    mean, variance = 0.0, 0.0
    for depth, spread in enumerate(spreads, start=1):
        variance += spread**2
        weight, moment = said[depth].get(key[:depth], (0.0, 0.0))
        if depth < len(spreads):
            below = said[depth + 1].get(key[: depth + 1], (0.0, 0.0))
            own = _blurred(*below, spreads[depth])
            weight, moment = weight - own[0], moment - own[1]
        precision = 1 / variance + max(weight, 0.0)
        mean = (mean / variance + moment) / precision
        variance = 1 / precision
    return Belief(mean=mean, variance=variance, noise=noise, counts=_counts(near, key))


def _counts(cells: list[Cell], key: Key) -> tuple[int, ...]:
    counts = []
    for depth, part in enumerate(key):
        cells = [cell for cell in cells if cell.key[depth] == part]
        counts.append(sum([cell.count for cell in cells]))
    return tuple(counts)


_Said = dict[Key, tuple[float, float]]
NOTHING_SAID = (0.0, 0.0)


def _said_by_branches(
    cells: Iterable[Cell], spreads: Sequence[float], noise: float
) -> list[_Said]:
    """By depth and key: precision, and precision x mean, of the evidence on a value.

    A cell's runs contribute precision count / noise^2 to its own value; a value passes
    its precision on to its parent, reduced by the spread between the two.
    """
    per_run = 1 / noise**2
    level = {c.key: (c.count * per_run, c.total * per_run) for c in cells}
    levels: list[_Said] = [level]
    for spread in reversed(spreads[1:]):
        above: _Said = {}
        variance = spread**2
        for key, (weight, moment) in level.items():
            parent = key[:-1]
            share = 1 / (1 + weight * variance)
            before = above.get(parent, NOTHING_SAID)
            above[parent] = (before[0] + weight * share, before[1] + moment * share)
        levels.append(above)
        level = above
    return [{}, *reversed(levels)]


def _blurred(weight: float, moment: float, spread: float) -> tuple[float, float]:
    """Precision and moment seen from `spread` away: 1 / (1 / weight + spread^2)."""
    share = 1 / (1 + weight * spread**2)
    return weight * share, moment * share


def noise_of(cells: Iterable[Cell], usual: float = NOISE) -> float:
    """The noise of a single run: that within cells, shrunk towards the prior."""
    squares, freedom = NOISE_WEIGHT * usual**2, float(NOISE_WEIGHT)
    for cell in cells:
        count = cell.count
        if count > 1:
            within = cell.squares - cell.total * cell.total / count
            squares += within if within > 0 else 0.0
            freedom += count - 1
    return sqrt(squares / freedom)


def multiplier(scores: Sequence[float], belief: Belief, spreads: Spreads) -> float:
    """Half-width of the 80 % interval in standard deviations.

    `scores` are |residual - predicted| / sigma of own finished runs, oldest first, each
    as of the time of its estimate. From 30 of them on, the split-conformal
    quantile of the latest 500: the ceil(0.8 (n + 1))-th smallest, which covers the next
    run with probability 0.8 or a little more, whatever the distribution
    (Vovk et al. 2005; Lei et al. 2018).
    """
    latest = sorted(scores[-CONFORMAL_WINDOW:])
    if len(latest) < CONFORMAL_FROM:
        return spreads.multiplier_with_runs if belief.runs else spreads.multiplier
    rank = min(ceil(COVERAGE * (len(latest) + 1)), len(latest))
    return latest[rank - 1]


def score(belief: Belief, residual: float) -> float:
    """How many standard deviations a run was off its prediction."""
    return abs(residual - belief.mean) / belief.sigma


def censored_residual(
    belief: Belief, *, predicted: float, available: float
) -> float | None:
    """The residual to record for an out-of-memory run, None if it adds nothing.

    All that is known is y > c = ln(available / predicted), so its expectation under the
    current belief is recorded: m + sigma phi(z) / (1 - Phi(z)), z = (c - m) / sigma.
    If the run was not expected to fit, nothing changes.
    """
    floor = log(available / predicted)
    z = (floor - belief.mean) / belief.sigma
    if z <= 0:
        return None
    density = exp(-z * z / 2) / sqrt(2 * pi)
    beyond = max(1 - _NORMAL.cdf(z), 1e-12)
    return belief.mean + belief.sigma * max(density / beyond, z)
