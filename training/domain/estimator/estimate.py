"""The catalogue estimate: price and duration from nominal tokens per second.

Known error: a flat tokens/s table is off by 54 % in the median on measured runs,
because throughput falls with model size.
"""

from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction

from training.domain.estimator.model_estimate import ModelEstimate
from training.domain.schedule import process_count, steps_per_epoch

INITIALISATION_SECONDS = 600
VALIDATION_SECONDS_PER_EPOCH = 300
FINAL_SAVE_SECONDS = 300
STORAGE_USD = Decimal("0.50")


@dataclass(frozen=True, slots=True, kw_only=True)
class Workload:
    """The training workload: sequences, tokens and epochs."""

    training_pairs: int
    total_tokens: int
    batch_size: int
    epochs: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Machine:
    """The machine to train on; price and speed are per GPU."""

    usd_per_hour: Decimal
    tokens_per_second: int
    count: int
    storage_cost: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """An unrounded estimate; hours and USD are exact fractions.

    `aware` is the model-aware estimate on this machine, None if the model's dimensions
    or the machine's specifications are missing. If the figures come from it, `basis`
    says so and `catalogue` has the catalogue formula's figures.
    """

    steps_per_epoch: int
    total_steps: int
    tokens_per_second: int
    hours: Fraction
    hourly_usd: Fraction
    compute_usd: Fraction
    storage_usd: Fraction
    warnings: tuple[str, ...] = ()
    basis: str = "catalogue"
    aware: ModelEstimate | None = None
    catalogue: "Estimate | None" = None

    @property
    def total_usd(self) -> Fraction:
        return self.compute_usd + self.storage_usd


def catalogue_estimate(work: Workload, machine: Machine) -> Estimate:
    """Hours and USD by the catalogue formula.

    seconds_per_step = total_tokens / training_pairs * batch_size / (tokens/s * count);
    hours = (steps * seconds_per_step + 600 + 300 * epochs + 300) / 3600;
    total = hours * usd_per_hour * count + 0.50 for storage (none on CPU).
    Raises ValueError if there are no training pairs.
    """
    if work.training_pairs < 1:
        raise ValueError("An estimate needs at least one training pair.")
    per_epoch = steps_per_epoch(
        training_pairs=work.training_pairs, batch_size=work.batch_size
    )
    steps = per_epoch * work.epochs
    speed = machine.tokens_per_second * machine.count
    tokens_per_step = Fraction(work.total_tokens, work.training_pairs) * work.batch_size
    seconds = steps * tokens_per_step / speed + overhead_seconds(work.epochs)
    hourly = Fraction(machine.usd_per_hour) * machine.count
    return Estimate(
        steps_per_epoch=per_epoch,
        total_steps=steps,
        tokens_per_second=speed,
        hours=seconds / 3600,
        hourly_usd=hourly,
        compute_usd=seconds / 3600 * hourly,
        storage_usd=Fraction(STORAGE_USD) if machine.storage_cost else Fraction(0),
        warnings=idle_warning(batch_size=work.batch_size, count=machine.count),
    )


def overhead_seconds(epochs: int) -> int:
    """Initialisation, one validation per epoch, the final save."""
    return (
        INITIALISATION_SECONDS
        + VALIDATION_SECONDS_PER_EPOCH * epochs
        + FINAL_SAVE_SECONDS
    )


def idle_warning(*, batch_size: int, count: int) -> tuple[str, ...]:
    """A warning if the batch cannot be shared by all reserved GPUs."""
    busy = process_count(batch_size=batch_size, gpu_count=count)
    if busy == count:
        return ()
    return (f"A batch of {batch_size} keeps {busy} of {count} GPUs busy.",)


def rounded(value: Fraction | Decimal) -> Decimal:
    """Round to two decimals, half up, as money is shown."""
    exact = Fraction(value)
    scaled = Decimal(exact.numerator) / Decimal(exact.denominator)
    return scaled.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
