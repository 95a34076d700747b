"""The two things that are fitted, time and memory, and the priors of their constants.

A prior's value comes from data sheets, counted bytes or the field's usual figures, its
spread says how much those are trusted. Where a source is held out and no other speaks
of a constant (a card, a kernel), the prior alone answers for it.

What holding out does not undo: the form of the model, what a row's stack is taken to be
and these priors were chosen by people who knew the whole table. Only constants and
interval widths are refitted without the source that is judged.
"""

from tests.benchmarks.estimator.fit import Prior, Problem, Values
from tests.benchmarks.estimator.rows import LITGPT, SWIFT, TORCHTUNE, Row
from training.domain.estimator.memory import GIB, MemoryConstants, peak_memory
from training.domain.estimator.throughput import Constants, micro_batch_seconds


def _prior(value: float, spread: float) -> Prior:
    return Prior(value=value, spread=spread)


TIME_PRIORS = {
    # Tuned stacks reach 0.5 to 0.65 of an A100's peak in their products.
    "utilisation": _prior(0.58, 0.15),
    "family.a100": _prior(1.0, 0.08),
    # Matrix products alone reach about 0.8 of an H100's peak, 0.87 of an A100's, and
    # the rest of a step does not shrink with the peak.
    "family.h100": _prior(0.75, 0.2),
    # GeForce cards halve the rate of float32 accumulation, so they seldom throttle.
    "family.geforce": _prior(1.1, 0.12),
    "family.workstation": _prior(1.0, 0.12),
    "mixture": _prior(0.9, 0.2),
    "activation_passes": _prior(12.0, 0.15),
    # About 130 kernels a layer and step at 30 to 40 microseconds from Python.
    "launch_seconds": _prior(5e-3, 0.25),
    "sharded_launch_seconds": _prior(10e-3, 0.5),
    "step_seconds": _prior(0.1, 0.5),
    # One fused kernel moves 2.6 bytes a weight at half the bus's rate; PyTorch's own
    # shifts and masks on int32 move about 28.
    "dequantise.nf4": _prior(4e-3, 0.5),
    "dequantise.gptq": _prior(5.2e-3, 0.5),
    "dequantise.gptq_torch": _prior(12e-3, 0.4),
    "kernels.fused": _prior(1.15, 0.1),
    "kernels.compiled": _prior(1.25, 0.15),
    "k_bit_slowdown": _prior(1.15, 0.05),
    "data_parallel": _prior(0.97, 0.02),
    "sharded": _prior(0.95, 0.03),
    "link_share": _prior(0.4, 0.4),
}


def time_constants(values: Values) -> Constants:
    """The fitted values as the domain wants them."""
    return Constants(
        utilisation=values["utilisation"],
        family={
            name: values[f"family.{name}"]
            for name in ("a100", "h100", "geforce", "workstation")
        },
        mixture=values["mixture"],
        activation_passes=values["activation_passes"],
        launch_seconds=values["launch_seconds"],
        sharded_launch_seconds=values["sharded_launch_seconds"],
        step_seconds=values["step_seconds"],
        dequantise_seconds={
            "nf4": values["dequantise.nf4"],
            "int8": values["dequantise.nf4"],
            "gptq": values["dequantise.gptq"],
            "gptq_torch": values["dequantise.gptq_torch"],
        },
        kernel_speedup={
            "eager": 1.0,
            "fused": values["kernels.fused"],
            "compiled": values["kernels.compiled"],
        },
        k_bit_slowdown=values["k_bit_slowdown"],
        data_parallel=values["data_parallel"],
        sharded=values["sharded"],
        link_share=values["link_share"],
    )


def predicted_seconds(row: Row, values: Values) -> float:
    """The domain's time of the row's micro-batch."""
    return micro_batch_seconds(
        row.architecture,
        row.method,
        row.hardware,
        row.batch,
        time_constants(values),
    ).total


MEMORY_PRIORS = {
    "recompute": _prior(1.8, 0.25),
    "kept": _prior(1.25, 0.15),
    # float32 copy, shifted copy, log-softmax and gradient beside the 16-bit logits.
    "logits.native": _prior(14.0, 0.1),
    # Logits, shifted copy, log-softmax and gradient, all in 16 bits.
    "logits.narrow": _prior(8.0, 0.15),
    # ms-swift computes loss and accuracy beside the model's own loss: twice `native`.
    "logits.twice": _prior(28.0, 0.3),
    "logits.fused": _prior(12.0, 0.1),
    "hidden_bytes": _prior(29.0, 0.3),
    "context_gib": _prior(0.8, 0.3),
}
READ_BY_TORCH = frozenset({TORCHTUNE, LITGPT, SWIFT})
"""Sources whose memory is the allocator's own figure, without the driver's context."""


def memory_constants(values: Values) -> MemoryConstants:
    """The fitted values as the domain wants them."""
    kinds = ("native", "narrow", "twice", "fused")
    return MemoryConstants(
        recompute=values["recompute"],
        kept=values["kept"],
        logit_bytes={kind: values[f"logits.{kind}"] for kind in kinds}
        | {"chunked": 0.5},
        hidden_bytes=values["hidden_bytes"],
        context_gib=values["context_gib"],
    )


def predicted_gib(row: Row, values: Values) -> float:
    """The domain's peak, as the row's tool would read it."""
    constants = memory_constants(values)
    parts = peak_memory(row.architecture, row.method, row.batch, constants)
    context = parts.context if row.source in READ_BY_TORCH else 0.0
    return (parts.total - context) / GIB


def _seconds(row: Row) -> float:
    assert row.seconds is not None
    return row.seconds


def _gib(row: Row) -> float:
    assert row.peak_gib is not None
    return row.peak_gib


TIME = Problem(
    priors=TIME_PRIORS, predict=predicted_seconds, observe=_seconds, scale=0.08
)
MEMORY = Problem(priors=MEMORY_PRIORS, predict=predicted_gib, observe=_gib, scale=0.05)
