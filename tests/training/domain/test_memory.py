"""Peak memory by parts, and the verdict."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.training.domain.builders import LLAMA, SMOL, dimensions
from training.domain.estimator import fitted
from training.domain.estimator.memory import (
    DOES_NOT_FIT,
    FITS,
    GIB,
    TIGHT,
    judge,
    peak_memory,
    weight_bytes,
)
from training.domain.estimator.throughput import MicroBatch
from training.domain.method import BYTES_PER_WEIGHT, TILED_LOSS, Method

BATCH = MicroBatch(sequences=4, length=1024)


def peak(method: Method, batch: MicroBatch = BATCH, model: str = LLAMA):
    return peak_memory(dimensions(model), method, batch, fitted.MEMORY)


def test_weights_of_an_8b_model_in_16_and_in_4_bits():
    llama = dimensions(LLAMA)
    assert weight_bytes(llama, Method()) == 2 * llama.parameters
    # 6.98e9 weights at 0.516 bytes, embedding, head and norms at 2: 5.7 GB.
    assert weight_bytes(llama, Method(weights="nf4")) == pytest.approx(5.70e9, rel=0.01)
    # K-bit preparation keeps the other 1.05e9 in float32: 2.1 GB more.
    prepared = Method(weights="nf4", k_bit_prepared=True)
    assert weight_bytes(llama, prepared) == pytest.approx(7.80e9, rel=0.01)


def test_nf4_with_double_quantisation_takes_a_little_over_half_a_byte():
    exact = 0.5 + 1 / 64 + 4 / (64 * 256)
    assert BYTES_PER_WEIGHT["nf4"] == pytest.approx(exact, rel=0.001)


def test_parts_of_a_checkpointed_step():
    parts = peak(Method(rank=16))
    assert parts.adapters == 16 * dimensions(LLAMA).lora_parameters(16)
    # A hidden state of 2 bytes a layer and token.
    assert parts.checkpoints == 4096 * 2 * 32 * 4096
    # With 128 256 words, the loss is the peak, not a layer's recomputation.
    logits = 15.34 * 128_256 + 32.35 * 4096
    assert parts.activations == pytest.approx(4096 * logits)
    assert parts.total == pytest.approx(
        parts.weights
        + parts.adapters
        + parts.checkpoints
        + parts.activations
        + parts.context
    )


def test_without_checkpointing_all_layers_are_kept():
    without = peak(Method(gradient_checkpointing=False))
    assert without.checkpoints == 0
    assert without.activations > 4 * peak(Method()).activations


def test_float32_doubles_weights_and_checkpoints():
    full, half = peak(Method(weights="fp32"), model=SMOL), peak(Method(), model=SMOL)
    assert full.weights == 2 * half.weights
    assert full.checkpoints == 2 * half.checkpoints


@given(rank=st.integers(1, 127), more=st.integers(1, 64))
def test_a_larger_rank_never_needs_less_memory(rank, more):
    assert peak(Method(rank=rank + more)).total >= peak(Method(rank=rank)).total


@given(length=st.integers(16, 8192), more=st.integers(1, 8192))
def test_longer_sequences_never_need_less_memory(length, more):
    shorter = peak(Method(), MicroBatch(sequences=1, length=length))
    longer = peak(Method(), MicroBatch(sequences=1, length=length + more))
    assert longer.total >= shorter.total


@pytest.mark.parametrize(
    ("room", "verdict"),
    [(1.3, FITS), (1.05, TIGHT), (0.97, TIGHT), (0.8, DOES_NOT_FIT)],
)
def test_the_verdict_follows_the_probability(room, verdict):
    parts = peak(Method())
    found = judge(parts, available_gib=room * parts.total / GIB, sigma=0.1)
    assert found.verdict == verdict


def test_exactly_enough_fits_every_other_time():
    parts = peak(Method())
    found = judge(parts, available_gib=parts.total / GIB, sigma=0.1)
    assert found.probability == pytest.approx(0.5)


def test_where_no_capacity_is_known_nothing_is_claimed_not_to_fit():
    assert judge(peak(Method()), available_gib=None, sigma=0.1).verdict == FITS


def test_dropout_keeps_each_adapters_input_a_second_time():
    llama = dimensions()
    batch = MicroBatch(sequences=2, length=512)
    plain = Method(gradient_checkpointing=False)
    kept = peak_memory(llama, plain, batch, fitted.MEMORY)
    dropped = peak_memory(llama, plain.changed(dropout=True), batch, fitted.MEMORY)
    # q, k, v: 3 x 4096, o: 4096, gate and up: 2 x 4096, down: 14336 elements a token
    # and layer, 2 bytes and a byte of mask each.
    width = 3 * 4096 + 4096 + 2 * 4096 + 14336
    assert dropped.total - kept.total == pytest.approx(3 * width * 32 * 1024)


ON_CPU = Method(
    weights="fp32",
    rank=16,
    loss=TILED_LOSS,
    computes_in_float32=True,
    dropout=True,
    gradient_checkpointing=False,
)


@pytest.mark.parametrize(
    ("layers", "vocabulary", "sequences", "length", "checkpointing", "gib"),
    [
        (30, 49_152, 1, 64, False, 1.366),
        (30, 49_152, 4, 256, False, 5.716),
        (10, 49_152, 4, 128, False, 1.920),
        (10, 2_048, 1, 1024, False, 1.819),
        (30, 2_048, 4, 128, False, 2.547),
        (30, 49_152, 8, 128, True, 3.777),
        (10, 2_048, 8, 128, True, 1.219),
    ],
)
def test_resident_set_on_a_processor(
    layers, vocabulary, sequences, length, checkpointing, gib
):
    """Against peaks that probes measured on 2026-11-25."""
    model = replace(dimensions(SMOL), layers=layers, vocabulary=vocabulary)
    method = ON_CPU.changed(gradient_checkpointing=checkpointing)
    batch = MicroBatch(sequences=sequences, length=length)
    said = peak_memory(model, method, batch, fitted.CPU_MEMORY).total
    assert said / GIB == pytest.approx(gib, rel=0.05)
