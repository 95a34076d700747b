"""The catalogue formula for each GPU and each preset, against figures worked by hand.

1000 pairs of 400 tokens on one GPU: each epoch is 400 000 tokens, so
hours = (400 000 x epochs / tokens per second + 900 + 300 x epochs) / 3600.
"""

from decimal import Decimal
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.first_rows import PRELOADED
from training.domain.estimator.estimate import (
    Machine,
    Workload,
    catalogue_estimate,
    rounded,
)
from training.domain.presets import PRESETS

CATALOGUE = {
    "A100-80GB": ("3.50", 1800, "0.50"),
    "A100-40GB": ("2.80", 1500, "0.50"),
    "H100": ("4.20", 2200, "0.50"),
    "V100-32GB": ("2.10", 1200, "0.50"),
    "CPU": ("0.00", 150, "0.00"),
}
EPOCHS_AND_BATCH = {"fast": (1, 8), "balanced": (3, 4), "quality": (5, 2)}
TABLE = """
A100-80GB fast      125  0.40  1.88
A100-80GB balanced  750  0.69  2.90
A100-80GB quality  2500  0.98  3.91
A100-40GB fast      125  0.41  1.64
A100-40GB balanced  750  0.72  2.52
A100-40GB quality  2500  1.04  3.40
H100      fast      125  0.38  2.11
H100      balanced  750  0.65  3.24
H100      quality  2500  0.92  4.36
V100-32GB fast      125  0.43  1.39
V100-32GB balanced  750  0.78  2.13
V100-32GB quality  2500  1.13  2.87
CPU       fast      125  1.07  0.00
CPU       balanced  750  2.72  0.00
CPU       quality  2500  4.37  0.00
"""
ROWS = [line.split() for line in TABLE.strip().splitlines()]


def machine(name: str, count: int = 1) -> Machine:
    usd, speed, storage = CATALOGUE[name]
    return Machine(
        usd_per_hour=Decimal(usd),
        tokens_per_second=speed,
        count=count,
        storage_cost=storage != "0.00",
    )


def work(preset: str, pairs: int, tokens: int) -> Workload:
    epochs, batch_size = EPOCHS_AND_BATCH[preset]
    return Workload(
        training_pairs=pairs, total_tokens=tokens, batch_size=batch_size, epochs=epochs
    )


def test_the_catalogue_holds_the_prices_and_speeds_of_the_table():
    found = {
        gpu.name: (
            str(gpu.usd_per_hour),
            gpu.tokens_per_second,
            "0.50" if gpu.storage_cost else "0.00",
        )
        for gpu in PRELOADED
    }
    assert found == CATALOGUE
    presets = {p.id: (p.epochs, p.batch_size) for p in PRESETS.values()}
    assert presets == EPOCHS_AND_BATCH


@pytest.mark.parametrize(
    ("gpu", "preset", "steps", "hours", "total"), ROWS, ids=lambda value: str(value)
)
def test_each_gpu_and_preset_comes_out_to_the_cent(gpu, preset, steps, hours, total):
    estimate = catalogue_estimate(work(preset, 1000, 400_000), machine(gpu))
    assert estimate.total_steps == int(steps)
    assert rounded(estimate.hours) == Decimal(hours)
    assert rounded(estimate.total_usd) == Decimal(total)


@pytest.mark.parametrize("gpu", CATALOGUE)
@pytest.mark.parametrize("preset", EPOCHS_AND_BATCH)
@pytest.mark.parametrize(
    ("pairs", "tokens"), [(1, 100), (10, 999), (1001, 400_400), (1_000_000, 4 * 10**8)]
)
def test_one_pair_odd_batches_and_a_million_pairs(gpu, preset, pairs, tokens):
    epochs, batch = EPOCHS_AND_BATCH[preset]
    estimate = catalogue_estimate(work(preset, pairs, tokens), machine(gpu))
    per_epoch = pairs // batch + (1 if pairs % batch else 0)
    assert (estimate.steps_per_epoch, estimate.total_steps) == (
        per_epoch,
        per_epoch * epochs,
    )
    usd, speed, storage = CATALOGUE[gpu]
    # A last, smaller batch is priced as a whole step.
    seconds = Fraction(tokens * batch * per_epoch * epochs, pairs * speed)
    hours = (seconds + 600 + 300 * epochs + 300) / 3600
    assert estimate.hours == hours
    assert estimate.total_usd == hours * Fraction(usd) + Fraction(storage)


@given(
    gpu=st.sampled_from(sorted(CATALOGUE)),
    count=st.integers(1, 8),
    pairs=st.integers(1, 10**6),
    tokens=st.integers(0, 10**10),
    batch=st.integers(1, 64),
    epochs=st.integers(1, 20),
)
def test_more_gpus_are_never_slower_and_never_cheaper_by_the_hour(
    gpu, count, pairs, tokens, batch, epochs
):
    job = Workload(
        training_pairs=pairs, total_tokens=tokens, batch_size=batch, epochs=epochs
    )
    one, many = (catalogue_estimate(job, machine(gpu, n)) for n in (1, count))
    assert many.hours <= one.hours
    assert many.hourly_usd == count * one.hourly_usd
    assert many.total_steps == one.total_steps
    assert rounded(many.total_usd) >= rounded(many.storage_usd) >= 0
