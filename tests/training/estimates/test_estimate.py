"""The catalogue formula, to the cent."""

from decimal import Decimal

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
from training.domain.schedule import process_count

TWO_A100 = Machine(usd_per_hour=Decimal("3.50"), tokens_per_second=1800, count=2)


def work(pairs: int, tokens: int, batch_size: int = 4, epochs: int = 3) -> Workload:
    return Workload(
        training_pairs=pairs, total_tokens=tokens, batch_size=batch_size, epochs=epochs
    )


@pytest.mark.parametrize(
    ("tokens", "hours", "compute", "total"),
    [
        (13_268_571, "3.57", "25.00", "25.50"),
        (400_000, "0.59", "4.15", "4.65"),
    ],
)
def test_the_worked_examples_come_out_to_the_cent(tokens, hours, compute, total):
    estimate = catalogue_estimate(work(1000, tokens), TWO_A100)
    assert (estimate.steps_per_epoch, estimate.total_steps) == (250, 750)
    assert (estimate.tokens_per_second, estimate.hourly_usd) == (3600, 7)
    assert rounded(estimate.hours) == Decimal(hours)
    assert rounded(estimate.compute_usd) == Decimal(compute)
    assert rounded(estimate.total_usd) == Decimal(total)


def test_a_batch_that_does_not_divide_the_pairs_has_a_last_smaller_step():
    # 10 pairs in batches of 4 are 3 steps: 4 + 4 + 2.
    assert catalogue_estimate(work(10, 1000), TWO_A100).steps_per_epoch == 3


def test_one_pair_is_one_step_an_epoch():
    assert catalogue_estimate(work(1, 100, 8, 1), TWO_A100).total_steps == 1


def test_no_pairs_is_an_error():
    with pytest.raises(ValueError, match="at least one"):
        catalogue_estimate(work(0, 0), TWO_A100)


@pytest.mark.parametrize("gpu", PRELOADED, ids=lambda gpu: gpu.name)
def test_each_gpu_is_priced_at_its_own_rate(gpu):
    machine = Machine(
        usd_per_hour=gpu.usd_per_hour,
        tokens_per_second=gpu.tokens_per_second,
        count=1,
        storage_cost=gpu.storage_cost,
    )
    estimate = catalogue_estimate(work(1_000_000, 400_000_000), machine)
    # 750 000 steps of 1 600 tokens, then 600 + 3 x 300 + 300 seconds.
    seconds = 750_000 * 1600 / gpu.tokens_per_second + 1800
    assert float(estimate.hours) == pytest.approx(seconds / 3600)
    storage = Decimal("0.50") if gpu.name != "CPU" else Decimal(0)
    assert rounded(estimate.storage_usd) == storage


@given(
    pairs=st.integers(1, 10_000),
    tokens=st.integers(1, 10**8),
    epochs=st.integers(1, 19),
    batch_size=st.integers(1, 64),
)
def test_cost_never_falls_when_epochs_or_tokens_grow(pairs, tokens, epochs, batch_size):
    def cost(tokens: int, epochs: int):
        return catalogue_estimate(work(pairs, tokens, batch_size, epochs), TWO_A100)

    now = cost(tokens, epochs).total_usd
    assert cost(tokens, epochs + 1).total_usd >= now
    assert cost(tokens + 1, epochs).total_usd >= now


@pytest.mark.parametrize(
    ("batch_size", "gpus", "busy"), [(2, 8, 2), (4, 3, 2), (6, 4, 3), (7, 8, 7)]
)
def test_processes_are_the_largest_divisor_of_the_batch(batch_size, gpus, busy):
    assert process_count(batch_size=batch_size, gpu_count=gpus) == busy


def test_idle_gpus_are_said():
    machine = Machine(usd_per_hour=Decimal(1), tokens_per_second=1, count=8)
    estimate = catalogue_estimate(work(10, 100, batch_size=2), machine)
    assert estimate.warnings == ("A batch of 2 keeps 2 of 8 GPUs busy.",)
