"""The GPU types that ship with the console."""

from dataclasses import dataclass
from decimal import Decimal

CPU = "CPU"


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuFacts:
    """Price and speed of one GPU type.

    `usd_per_hour` is for one GPU, `tokens_per_second` nominal for one GPU,
    `memory_gb` as the maker states it (None for CPU).
    """

    name: str
    usd_per_hour: Decimal
    tokens_per_second: int
    memory_gb: int | None
    description: str
    max_count: int = 8
    storage_cost: bool = True


PRELOADED = (
    GpuFacts(
        name="A100-80GB",
        usd_per_hour=Decimal("3.50"),
        tokens_per_second=1800,
        memory_gb=80,
        description="Best overall",
    ),
    GpuFacts(
        name="A100-40GB",
        usd_per_hour=Decimal("2.80"),
        tokens_per_second=1500,
        memory_gb=40,
        description="Good for smaller models",
    ),
    GpuFacts(
        name="H100",
        usd_per_hour=Decimal("4.20"),
        tokens_per_second=2200,
        memory_gb=80,
        description="Fastest available",
    ),
    GpuFacts(
        name="V100-32GB",
        usd_per_hour=Decimal("2.10"),
        tokens_per_second=1200,
        memory_gb=32,
        description="Budget option",
    ),
    GpuFacts(
        name=CPU,
        usd_per_hour=Decimal("0.00"),
        tokens_per_second=150,
        memory_gb=None,
        description="This machine's CPU, free of charge",
        max_count=1,
        storage_cost=False,
    ),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuggestedType:
    """A known GPU type that is offered only after an operator has set its price."""

    name: str
    memory_gb: int
    description: str


SUGGESTED = (
    SuggestedType(name="H200", memory_gb=141, description="An H100 with more memory"),
    SuggestedType(name="B200", memory_gb=192, description="The newest and fastest"),
    SuggestedType(name="L4", memory_gb=24, description="Small and power-efficient"),
    SuggestedType(name="L40S", memory_gb=48, description="Workstation chip, no NVLink"),
    SuggestedType(name="RTX-4090", memory_gb=24, description="Desktop card"),
    SuggestedType(name="RTX-3090", memory_gb=24, description="Older desktop card"),
    SuggestedType(name="T4", memory_gb=16, description="Old, small, no bf16"),
    SuggestedType(name="MI300X", memory_gb=192, description="AMD, by ROCm"),
)
NOMINAL_TOKENS_PER_SECOND = 1000
"""The catalogue formula's speed for a type without measurements."""
