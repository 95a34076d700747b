"""Operations and seconds of a micro-batch, with the arithmetic shown."""

import pytest

from tests.training.domain.builders import A100, LLAMA, MIXTRAL, SMOL, dimensions
from training.domain.catalogue.gpus import HARDWARE
from training.domain.estimator import fitted
from training.domain.estimator.flops import training_flops_per_token
from training.domain.estimator.model_estimate import Knowledge
from training.domain.estimator.throughput import MicroBatch, micro_batch_seconds
from training.domain.method import Method

BATCH = MicroBatch(sequences=4, length=1024)


def seconds(method=None, batch=BATCH, hardware=A100, model=LLAMA):
    constants = Knowledge().time_of(hardware)
    return micro_batch_seconds(
        dimensions(model), method or Method(), hardware, batch, constants
    )


def test_operations_of_a_llama_token():
    llama = dimensions(LLAMA)
    # N_l = 32 x (2 x 4096 x 5120 + 3 x 4096 x 14336), N_v = 4096 x 128256.
    layers, head = 32 * (41_943_040 + 176_160_768), 525_336_576
    attention = 2 * 1024 * 4096 * 32
    assert training_flops_per_token(
        llama, length=1024, gradient_checkpointing=True
    ) == pytest.approx(6 * layers + 4 * head + 4.5 * attention)
    assert training_flops_per_token(
        llama, length=1024, gradient_checkpointing=False
    ) == pytest.approx(4 * layers + 4 * head + 3.5 * attention)


def test_a_full_micro_batch_is_compute_bound_and_a_short_one_launch_bound():
    full, short = seconds(), seconds(batch=MicroBatch(sequences=1, length=64))
    assert full.compute > 5 * full.launch
    assert short.launch > 2 * short.compute


def test_four_bit_weights_add_the_same_seconds_to_any_micro_batch():
    nf4 = Method(weights="nf4")
    short, long = (
        MicroBatch(sequences=1, length=256),
        MicroBatch(sequences=8, length=2048),
    )
    added = [seconds(nf4, batch).dequantise for batch in (short, long)]
    # Three passes over 6.98e9 weights at 3.567 ms a billion.
    assert added == pytest.approx([3 * 6.979e9 / 1e9 * 0.003567] * 2, rel=1e-3)
    assert seconds(Method(), long).dequantise == 0


def test_a_card_without_bf16_computes_in_fp16():
    volta = HARDWARE["V100-32GB"]
    assert volta.native_precision == "fp16"
    assert volta.peak("bf16") == volta.peak("nf4") == 125e12
    assert A100.peak("nf4") == 312e12


def test_a_processor_launches_before_it_computes():
    cpu = seconds(Method(weights="fp32"), hardware=HARDWARE["CPU"], model=SMOL)
    assert (cpu.links, cpu.step) == (0, 0)
    assert cpu.launch == pytest.approx(30 * 0.012)
    assert cpu.total == cpu.launch + cpu.compute


PROBED = {(16, 1): 0.43, (64, 1): 0.73, (128, 1): 1.25, (256, 1): 2.16, (128, 4): 4.38}
"""Seconds of a step of SmolLM2-135M on two cores by length and sequences: means of two
probes each on 2026-11-27, which differed by up to a third."""


@pytest.mark.parametrize(("shape", "taken"), PROBED.items())
def test_probed_steps_of_a_processor(shape, taken):
    length, sequences = shape
    method = Method().at("fp32").changed(gradient_checkpointing=False)
    batch = MicroBatch(sequences=sequences, length=length)
    said = seconds(method, batch, HARDWARE["CPU"], SMOL).total
    assert said == pytest.approx(taken, rel=0.15)


def test_an_adapter_of_a_larger_rank_takes_a_processor_longer():
    batch = MicroBatch(sequences=2, length=96)
    small, large = (
        seconds(Method(weights="fp32", rank=rank), batch, HARDWARE["CPU"], SMOL).total
        for rank in (16, 32)
    )
    # Probed on 2026-11-27, means of four each: 1.754 and 1.91 s.
    assert large / small == pytest.approx(1.91 / 1.754, rel=0.03)
    assert seconds(Method(rank=32)).total == seconds(Method(rank=16)).total


def test_a_mixture_is_less_certain_than_a_dense_model():
    from training.domain.estimator.throughput import relative_spread

    dense, mixed = seconds(), seconds(model=MIXTRAL)
    assert relative_spread(dimensions(LLAMA), dense) < 0.1
    assert relative_spread(dimensions(MIXTRAL), mixed) > 0.2


@pytest.mark.parametrize("hardware", HARDWARE.values(), ids=lambda h: h.name)
def test_every_type_has_a_factor_and_facts(hardware):
    assert hardware.family in fitted.TIME.family
    assert hardware.note
    method = Method(weights="fp32") if hardware.name == "CPU" else Method()
    assert seconds(method, hardware=hardware).total > 0
