"""Learning from finished runs: nested shrinkage, and intervals that keep their promise.

A record's residual is y = ln(measured) - ln(predicted), of the seconds of a step or of
the peak memory. Residuals of like runs are alike, so a cell's mean is believed as far
as its runs warrant and pulled towards its parent's:

    GPU type -> stack -> method -> base model -> one GPU or many -> size of micro-batch

The last two stand for what the physical model does not see of a stack: its collectives,
and how it deals with small micro-batches. Each level's value is its parent's plus a
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
"""The same job on like GPUs varies by 0.5 to 4 %: the noise believed before any own
run, weighing as much as this many of them."""

COVERAGE = 0.8
CONFORMAL_FROM = 30
CONFORMAL_WINDOW = 500

_NORMAL = NormalDist()

Key = tuple[str, ...]


def cell_key(
    *, gpu: str, stack: str, method: str, model: str, processes: int, tokens: float
) -> Key:
    """Which cell a run belongs to; sizes are powers of four tokens a micro-batch."""
    parallelism = "one" if processes == 1 else "many"
    return (gpu, stack, method, model, parallelism, f"4^{round(log(tokens, 4))}")


@dataclass(frozen=True, slots=True, kw_only=True)
class Cell:
    """What is kept of all runs of one GPU type, stack, method and base model."""

    key: Key
    count: int
    total: float
    squares: float

    def with_run(self, residual: float) -> "Cell":
        """The cell after one more run."""
        return Cell(
            key=self.key,
            count=self.count + 1,
            total=self.total + residual,
            squares=self.squares + residual**2,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spreads:
    """How far a level's values lie from their parent's, as standard deviations.

    `levels` by LEVELS; `gpu_without_evidence` replaces the first where no run on the
    GPU type, published or own, stands behind the constants, `gpu_similar` where only
    its chip's family was measured. `multiplier` is the half-width of the 80 % interval
    in standard deviations before any run of the cell, `multiplier_with_runs` after
    some; both until own residuals tell it.
    """

    levels: tuple[float, ...]
    gpu_similar: float
    gpu_without_evidence: float
    multiplier: float
    multiplier_with_runs: float

    def for_evidence(self, evidence: str) -> tuple[float, ...]:
        """The levels' spreads for a GPU type with such evidence."""
        first = {SIMILAR: self.gpu_similar, NO_EVIDENCE: self.gpu_without_evidence}
        return (first.get(evidence, self.levels[0]), *self.levels[1:])


@dataclass(frozen=True, slots=True, kw_only=True)
class Belief:
    """The residual expected of the next run, and how far it may be off.

    `variance` is that of the mean, `noise` a run's own standard deviation around it;
    `counts` by LEVELS: how many runs share the key up to that level.
    """

    mean: float
    variance: float
    noise: float
    counts: tuple[int, ...]

    @property
    def runs(self) -> int:
        """Runs of the same GPU type, stack, method and base model."""
        return self.counts[LEVELS.index("model")]

    @property
    def factor(self) -> float:
        """What a prediction is to be multiplied with."""
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

    Up: every branch is summed up as one normal observation of its parent's value. Down
    the key's path: a node's value is what is believed of its parent, blurred by the
    level's spread, and what its other branches say; at the end, the cell's own runs.
    Without cells: mean 0 and the sum of the levels' variances. Only cells of the key's
    GPU type matter, since the types' values are taken as independent.
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
    """By depth and key: precision, and precision x mean, of what is said of a value.

    A cell's runs say count / noise^2 of its own value; a value says of its parent's the
    same, blurred by the spread between the two.
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
    """A run's own standard deviation: that within cells, shrunk to what is usual."""
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

    `scores` are |residual - believed| / sigma of own finished runs, oldest first, each
    as it was when its estimate was made. From 30 of them on, the split-conformal
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
    """How many standard deviations a run came out from what was believed."""
    return abs(residual - belief.mean) / belief.sigma


def censored_residual(
    belief: Belief, *, predicted: float, available: float
) -> float | None:
    """What to record of a run that ran out of memory, None when it adds nothing.

    All that is known is y > c = ln(available / predicted): its expectation under what
    is believed, m + sigma phi(z) / (1 - Phi(z)) with z = (c - m) / sigma, is recorded
    in its place. When the run was expected not to fit, the belief stands.
    """
    floor = log(available / predicted)
    z = (floor - belief.mean) / belief.sigma
    if z <= 0:
        return None
    density = exp(-z * z / 2) / sqrt(2 * pi)
    beyond = max(1 - _NORMAL.cdf(z), 1e-12)
    return belief.mean + belief.sigma * max(density / beyond, z)
