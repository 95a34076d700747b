"""The model-aware estimate: duration and memory of a job, with intervals."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from math import exp, sqrt

from training.domain.catalogue.gpus import MEASURED, Hardware
from training.domain.estimator import fitted
from training.domain.estimator.batches import (
    Expected,
    LengthHistogram,
    expected_micro_batches,
    packed_micro_batches,
)
from training.domain.estimator.calibration import (
    NOISE,
    Belief,
    Cell,
    believe,
    cell_key,
    multiplier,
)
from training.domain.estimator.changes import Change, Option, smallest_change
from training.domain.estimator.duration import (
    OVERHEAD_SPREAD,
    DurationParts,
    Overheads,
    duration_parts,
)
from training.domain.estimator.flops import (
    evaluation_flops_per_token,
    training_flops_per_token,
)
from training.domain.estimator.memory import MemoryConstants, MemoryVerdict
from training.domain.estimator.plan import MemoryModel, Place, Plan, Setup, make_plan
from training.domain.estimator.throughput import (
    Constants,
    MicroBatch,
    micro_batch_seconds,
    relative_spread,
)
from training.domain.schedule import checkpoint_interval, steps_per_epoch

MODEL, MEASURED_BASIS = "model", "measured"


@dataclass(frozen=True, slots=True, kw_only=True)
class Knowledge:
    """Everything fitted so far: constants from published runs, cells from own ones.

    `scores` are the time residuals' as `calibration.score` gave them, oldest first.
    """

    time_cells: Sequence[Cell] = ()
    memory_cells: Sequence[Cell] = ()
    scores: Sequence[float] = ()
    time: Constants = fitted.TIME
    memory: MemoryConstants = fitted.MEMORY
    overheads: Overheads = field(default_factory=Overheads)

    def time_of(self, hardware: Hardware) -> Constants:
        """Time constants for a GPU or, separately fitted, a CPU."""
        return fitted.CPU_TIME if hardware.is_processor else self.time

    def memory_of(self, hardware: Hardware) -> MemoryConstants:
        """Memory constants for a GPU or, separately fitted, a CPU process."""
        return fitted.CPU_MEMORY if hardware.is_processor else self.memory


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """An 80 % interval."""

    low: float
    expected: float
    high: float

    def scaled(self, factor: float) -> "Interval":
        """The interval in another unit."""
        return Interval(
            low=self.low * factor,
            expected=self.expected * factor,
            high=self.high * factor,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """The number of similar runs behind the estimate, and other evidence."""

    runs: int
    same_gpu: int
    hardware: str
    note: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelEstimate:
    """The estimate; `seconds` of wall-clock time, cost follows from the price.

    `tokens_per_second` counts real tokens, without padding, over all GPUs.
    `predicted_step_seconds` and `predicted_bytes` are the physical model's predictions
    before calibration: the baseline of a record's residual.
    """

    plan: Plan
    steps_per_epoch: int
    total_steps: int
    tokens_per_second: float
    padding_share: float
    seconds: Interval
    parts: DurationParts
    step_sigma: float
    predicted_step_seconds: float
    predicted_bytes: float
    cell: tuple[str, ...]
    multiplier: float
    memory_cell: tuple[str, ...]
    memory_sigma: float
    sequences: int
    overheads: Overheads
    change: Change | None
    evidence: Evidence

    @property
    def basis(self) -> str:
        return MEASURED_BASIS if self.evidence.runs else MODEL

    @property
    def memory(self) -> MemoryVerdict:
        return self.plan.memory

    @property
    def step_seconds(self) -> float:
        return self.parts.training / self.total_steps

    @property
    def hours(self) -> Interval:
        return self.seconds.scaled(1 / 3600)


def estimate_job(
    setup: Setup,
    place: Place,
    knowledge: Knowledge | None = None,
    *,
    downloaded: bool = True,
    checkpoint_every_steps: int = 0,
    elsewhere: Sequence[Place] = (),
) -> ModelEstimate:
    """Duration and memory of a job, with the 80 % interval of its duration.

    The interval is multiplicative: ln(total) +- k sigma. sigma is the root of the
    summed squared errors of steps (calibration) and fixed costs (OVERHEAD_SPREAD),
    weighted by their share of the total; k comes from `calibration.multiplier`.
    """
    known = knowledge or Knowledge()
    memory = _memory_model(setup, place, known)
    plan = make_plan(setup, place, memory)
    lengths = setup.trained_lengths.coarsened()
    time = _EpochTime(setup, place, plan, known, lengths)
    total_steps = time.steps * setup.epochs
    checkpoints = _checkpoints(total_steps, time.steps, checkpoint_every_steps)
    parts = _parts(setup, plan, known, time, checkpoints, downloaded=downloaded)
    return ModelEstimate(
        plan=plan,
        steps_per_epoch=time.steps,
        total_steps=total_steps,
        tokens_per_second=lengths.tokens * setup.epochs / parts.training,
        padding_share=1 - lengths.tokens / max(time.padded_tokens, lengths.tokens),
        seconds=_interval(parts, time.belief, known, _least_share(setup, time.steps)),
        parts=parts,
        step_sigma=time.belief.sigma,
        predicted_step_seconds=time.physical / time.steps,
        predicted_bytes=plan.memory.required_bytes / memory.factor,
        cell=time.cell,
        multiplier=_multiplier(time.belief, known),
        memory_cell=_memory_cell(setup, place),
        memory_sigma=memory.sigma,
        sequences=lengths.pairs,
        overheads=known.overheads,
        change=smallest_change(setup, place, memory, _options(setup, elsewhere, known)),
        evidence=_evidence(place, time.belief),
    )


def _checkpoints(total_steps: int, per_epoch: int, every: int) -> int:
    """Number of checkpoints saved; `every` in steps, 0 for the automatic interval."""
    automatic = checkpoint_interval(total_steps=total_steps, steps_per_epoch=per_epoch)
    return -(-total_steps // (every or automatic))


def _batches(lengths: LengthHistogram, plan: Plan) -> list[Expected]:
    if plan.method.packing:
        return packed_micro_batches(
            lengths, micro_batch=plan.micro_batch, processes=plan.processes
        )
    return expected_micro_batches(
        lengths,
        micro_batch=plan.micro_batch,
        processes=plan.processes,
        accumulation=plan.accumulation,
    )


class _EpochTime:
    """Seconds of an epoch's steps: from the physical model, and calibrated."""

    def __init__(
        self,
        setup: Setup,
        place: Place,
        plan: Plan,
        known: Knowledge,
        lengths: LengthHistogram,
    ) -> None:
        self.steps = steps_per_epoch(
            training_pairs=lengths.pairs, batch_size=setup.batch_size
        )
        self.physical = spread = 0.0
        batches = _batches(lengths, plan)
        # With a single sequence only one process works, and nothing waits.
        processes = min(plan.processes, lengths.pairs)
        constants = known.time_of(place.hardware)
        for expected in batches:
            batch = MicroBatch(
                sequences=expected.sequences,
                length=expected.length,
                processes=processes,
                accumulation=plan.accumulation,
            )
            seconds = micro_batch_seconds(
                setup.architecture, plan.method, place.hardware, batch, constants
            )
            total = expected.number * seconds.total
            self.physical += total
            spread += total * relative_spread(setup.architecture, seconds)
        tokens = sum(b.sequences * b.length * b.number for b in batches)
        number = sum(b.number for b in batches)
        self.padded_tokens = plan.processes * tokens
        self.cell = cell_key(
            gpu=place.hardware.name,
            stack=setup.stack,
            method=plan.method.name,
            model=setup.base_model,
            processes=plan.processes,
            tokens=tokens / number,
        )
        self.belief = time_belief(
            known.time_cells, self.cell, place, spread / self.physical
        )
        self.calibrated = self.physical * self.belief.factor


def _parts(
    setup: Setup,
    plan: Plan,
    known: Knowledge,
    time: _EpochTime,
    checkpoints: int,
    *,
    downloaded: bool,
) -> DurationParts:
    return duration_parts(
        setup.architecture,
        plan.method,
        known.overheads,
        pairs=setup.lengths.pairs,
        training_seconds=time.calibrated * setup.epochs,
        evaluation_seconds=_evaluation_seconds(setup, time, plan),
        checkpoints=checkpoints,
        downloaded=downloaded,
    )


def time_belief(
    cells: Sequence[Cell], cell: tuple[str, ...], place: Place, spread: float
) -> Belief:
    """The cell's posterior; the physical model's uncertainty widens its last level."""
    levels = fitted.TIME_SPREADS.for_evidence(place.hardware.evidence)
    last = sqrt(levels[-1] ** 2 + spread**2)
    noise = fitted.CPU_TIME_NOISE if place.hardware.is_processor else NOISE
    return believe(cells, cell, (*levels[:-1], last), noise)


def _memory_model(setup: Setup, place: Place, known: Knowledge) -> MemoryModel:
    """Calibrated on runs with the same stack, method and model."""
    cell = _memory_cell(setup, place)
    levels = fitted.MEMORY_SPREADS.for_evidence(place.hardware.evidence)
    belief = believe(known.memory_cells, cell, levels)
    constants = known.memory_of(place.hardware)
    return MemoryModel(constants=constants, factor=belief.factor, sigma=belief.sigma)


def _options(
    setup: Setup, places: Iterable[Place], known: Knowledge
) -> Iterator[Option]:
    """The job on each of these machines."""
    for place in places:
        method = setup.method.at(place.hardware.native_precision)
        there = replace(setup, method=method)
        yield there, place, _memory_model(there, place, known)


def _memory_cell(setup: Setup, place: Place) -> tuple[str, ...]:
    """Memory of one GPU, independent of their number; set by the longest sequence."""
    return cell_key(
        gpu=place.hardware.name,
        stack=setup.stack,
        method=setup.method.name,
        model=setup.base_model,
        processes=1,
        tokens=setup.max_length,
    )


def _evaluation_seconds(setup: Setup, time: _EpochTime, plan: Plan) -> float:
    """One forward pass over the validation pairs each time, at the training rate."""
    length = setup.lengths.tokens / setup.lengths.pairs
    forward = evaluation_flops_per_token(setup.architecture, length=length)
    whole = training_flops_per_token(
        setup.architecture,
        length=length,
        gradient_checkpointing=plan.method.gradient_checkpointing,
    )
    per_pair = time.calibrated / setup.lengths.pairs * forward / whole
    every = setup.eval_steps or time.steps
    return per_pair * setup.validation_pairs * -(-time.steps * setup.epochs // every)


def _least_share(setup: Setup, steps: int) -> float:
    """The share of all steps after which early stopping may end the run: the first
    evaluation always gains, then come those without gain that the patience allows.
    """
    if setup.early_stopping_patience is None:
        return 1.0
    every, total = setup.eval_steps or steps, steps * setup.epochs
    return min(every * (setup.early_stopping_patience + 1) / total, 1.0)


def _interval(
    parts: DurationParts, belief: Belief, known: Knowledge, least_share: float
) -> Interval:
    """Around all steps; downwards from the fewest that the run may take."""
    absolute = sqrt(
        (belief.sigma * parts.steps) ** 2 + (OVERHEAD_SPREAD * parts.fixed) ** 2
    )
    width = exp(_multiplier(belief, known) * absolute / parts.total)
    total = parts.total
    least = parts.fixed + parts.steps * least_share
    return Interval(low=least / width, expected=total, high=total * width)


def _multiplier(belief: Belief, known: Knowledge) -> float:
    return multiplier(known.scores, belief, fitted.TIME_SPREADS)


def _evidence(place: Place, belief: Belief) -> Evidence:
    hardware = MEASURED if belief.counts[0] else place.hardware.evidence
    return Evidence(
        runs=belief.runs,
        same_gpu=belief.counts[0],
        hardware=hardware,
        note=place.hardware.note,
    )
