"""Compares all GPU types for the same job: time, cost, cheapest, fastest."""

from collections.abc import Sequence
from dataclasses import dataclass

from django.utils.text import slugify

from datasets.models import Dataset
from training.domain.estimator.estimate import Estimate
from training.estimates.checked import CheckedConfig
from training.estimates.lengths import counts_of
from training.estimates.lookup import is_connected
from training.estimates.quote import estimate_on
from training.models import GpuType


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One row of the comparison; `estimate` is None while the form has errors."""

    gpu: GpuType
    connected: bool
    estimate: Estimate | None = None
    cheapest: bool = False
    fastest: bool = False

    @property
    def slug(self) -> str:
        return slugify(self.gpu.name)

    @property
    def hours(self) -> float:
        return float(self.estimate.hours) if self.estimate else 0.0

    @property
    def total_usd(self) -> float:
        return float(self.estimate.total_usd) if self.estimate else 0.0

    @property
    def verdict(self) -> str:
        """The memory verdict on this type; empty if unknown."""
        aware = self.estimate.aware if self.estimate else None
        return aware.memory.verdict if aware else ""

    @property
    def verdict_words(self) -> str:
        return self.verdict.replace("_", " ")


def compare(
    machines: Sequence[GpuType], *, dataset: Dataset, asked: CheckedConfig | None
) -> list[Offer]:
    """The job on each type, with the selected number of GPUs or the type's maximum."""
    if asked is None:
        return [Offer(gpu=gpu, connected=is_connected(gpu)) for gpu in machines]
    config, found = asked.config, asked.found
    counts = counts_of(dataset, config.base_model)
    if not counts.pairs_at(config.hyperparameters.max_length):
        return [Offer(gpu=gpu, connected=is_connected(gpu)) for gpu in machines]
    estimates = {
        gpu.name: estimate_on(
            gpu, dataset=dataset, counts=counts, config=config, found=found
        )
        for gpu in machines
    }
    least = min(estimate.total_usd for estimate in estimates.values())
    soonest = min(estimate.hours for estimate in estimates.values())
    return [
        Offer(
            gpu=gpu,
            connected=is_connected(gpu),
            estimate=estimates[gpu.name],
            cheapest=estimates[gpu.name].total_usd == least,
            fastest=estimates[gpu.name].hours == soonest,
        )
        for gpu in machines
    ]
