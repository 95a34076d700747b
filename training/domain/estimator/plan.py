"""The batch plan: automatic choice of micro-batch and gradient checkpointing."""

from collections.abc import Iterator
from dataclasses import dataclass

from training.domain.catalogue.architecture import Architecture
from training.domain.catalogue.gpus import Hardware
from training.domain.estimator.batches import LengthHistogram, packed
from training.domain.estimator.memory import (
    FITS,
    MemoryConstants,
    MemoryVerdict,
    judge,
    peak_memory,
)
from training.domain.estimator.throughput import MicroBatch
from training.domain.method import Method
from training.domain.schedule import process_count

PACKED_TOKENS = 2048
"""Packed rows of a micro-batch are concatenated, and the attention mask covers all of
them: beyond this many tokens that costs more than full tiles save."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Setup:
    """A job as requested; None means automatic.

    `lengths` are the training sequences' full lengths, before truncation at
    `max_length`; `batch_size` counts the sequences of a step over all GPUs.
    """

    base_model: str
    architecture: Architecture
    lengths: LengthHistogram
    batch_size: int
    epochs: int
    max_length: int
    method: Method
    validation_pairs: int = 0
    micro_batch: int | None = None
    gradient_checkpointing: bool | None = None
    eval_steps: int | None = None
    early_stopping_patience: int | None = None
    stack: str = "trl"

    @property
    def trained_lengths(self) -> LengthHistogram:
        """The sequences as the trainer sees them: truncated, and packed if enabled."""
        if self.method.packing:
            return packed(self.lengths, self.max_length)
        return self.lengths.truncated(self.max_length)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The target machine. `available_gib` is for one GPU; None if unknown.

    `largest_micro_batch` bounds the automatic choice: beyond 8 a CPU gains nothing, and
    beyond 64 no GPU does.
    """

    hardware: Hardware
    gpu_count: int
    available_gib: float | None
    qlora_works: bool = True
    largest_micro_batch: int = 64


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryModel:
    """Constants, the calibration factor and its spread."""

    constants: MemoryConstants
    factor: float = 1.0
    sigma: float = 0.1


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The resulting plan: batch_size = micro_batch x accumulation x processes."""

    method: Method
    micro_batch: int
    accumulation: int
    processes: int
    memory: MemoryVerdict


def make_plan(setup: Setup, place: Place, memory: MemoryModel) -> Plan:
    """The largest micro-batch that fits, with checkpointing only if needed.

    Tried in this order: a process's full share without checkpointing (a third fewer
    operations), then with it, then ever smaller divisors of the share. If even one
    sequence does not fit, that is the plan, and its verdict says so. Values set
    explicitly are kept.
    """
    options = list(_options(setup, place))
    for method, micro_batch in options:
        plan = _plan(setup, place, memory, method, micro_batch)
        if plan.memory.verdict == FITS:
            return plan
    return _plan(setup, place, memory, *options[-1])


def _options(setup: Setup, place: Place) -> Iterator[tuple[Method, int]]:
    """Method and micro-batch, the fastest first."""
    processes = process_count(batch_size=setup.batch_size, gpu_count=place.gpu_count)
    share = setup.batch_size // processes
    if setup.micro_batch is None:
        limit = min(share, place.largest_micro_batch)
        if setup.method.packing:
            limit = min(limit, max(PACKED_TOKENS // setup.max_length, 1))
        sizes = [n for n in range(limit, 0, -1) if share % n == 0]
    else:
        sizes = [setup.micro_batch]
    wanted = setup.gradient_checkpointing
    if wanted is not True:
        without = setup.method.changed(gradient_checkpointing=False)
        yield from ((without, n) for n in (sizes if wanted is False else sizes[:1]))
    if wanted is not False:
        checkpointed = setup.method.changed(gradient_checkpointing=True)
        yield from ((checkpointed, n) for n in sizes)


def _plan(
    setup: Setup, place: Place, memory: MemoryModel, method: Method, micro_batch: int
) -> Plan:
    processes = process_count(batch_size=setup.batch_size, gpu_count=place.gpu_count)
    share = setup.batch_size // processes
    if share % micro_batch:
        raise ValueError(
            f"Received a micro-batch of {micro_batch}; it must divide {share}, the "
            "sequences per step and GPU."
        )
    return Plan(
        method=method,
        micro_batch=micro_batch,
        accumulation=share // micro_batch,
        processes=processes,
        memory=memory_verdict(setup, place, memory, method, micro_batch),
    )


def memory_verdict(
    setup: Setup, place: Place, memory: MemoryModel, method: Method, micro_batch: int
) -> MemoryVerdict:
    """Whether the worst-case micro-batch, all at the longest length, fits."""
    if method.packing:
        longest = setup.max_length
    else:
        longest = min(setup.lengths.longest, setup.max_length)
    batch = MicroBatch(sequences=micro_batch, length=longest)
    parts = peak_memory(setup.architecture, method, batch, memory.constants)
    return judge(
        parts.scaled(memory.factor),
        available_gib=place.available_gib,
        sigma=memory.sigma,
    )
