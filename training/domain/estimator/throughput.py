"""Seconds of one micro-batch: a physical model with a handful of fitted constants.

    t = sqrt(compute^2 + launch^2 + links^2) + dequantise + step / accumulation

The first three overlap (a GPU computes while the host launches and the links copy), so
the largest dominates; the root of their squares is the smooth maximum that fits best.
On a CPU the same cores launch and compute, so the three add up.
Dequantisation runs on the same cores between the matrix products, so it adds: QLoRA is
a cost per micro-batch, not a factor, which is why published claims about it disagree.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import sqrt

from training.domain.catalogue.architecture import Architecture
from training.domain.catalogue.gpus import Hardware
from training.domain.estimator.flops import (
    adapter_flops_per_token,
    training_flops_per_token,
)
from training.domain.method import Method

A100_BANDWIDTH = 2039e9
"""The bandwidth at which `dequantise_seconds` is stated (A100-80GB, data sheet)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Constants:
    """What data sheets do not tell. Fitted values are in `fitted.py`.

    utilisation: share of the peak that the matrix products reach; times the hardware
        family's factor, and `mixture` for experts.
    activation_passes: how often each activation crosses the memory bus in a step with
        eager kernels (norms, rotations, gates, adapters, loss), forward to backward.
    launch_seconds: host time to launch one layer, forward, recompute and backward;
        `sharded_launch_seconds` with the collectives of FSDP or ZeRO-3.
    launches_beside: whether the host launches while another chip computes.
    adapter_weight: cost of an adapter operation relative to one of a frozen weight:
        its matrices are thin. None on a GPU, where published runs do not show it:
        counted as one, the error on held-out sources is 6.2 instead of 6.0 %.
    step_seconds: optimizer, gradient clipping and logging of a step.
    dequantise_seconds: one pass over 1e9 weights, by storage, at A100_BANDWIDTH.
    kernel_speedup: eager time / this kernel's time, for products and activations.
    k_bit_slowdown: norms and residuals in float32 after PEFT's k-bit preparation.
    data_parallel, sharded: share of the compute rate kept with several GPUs.
    link_share: share of the links' nominal rate that gathering weights reaches.
    """

    utilisation: float
    family: Mapping[str, float]
    mixture: float
    activation_passes: float
    launch_seconds: float
    sharded_launch_seconds: float
    step_seconds: float
    dequantise_seconds: Mapping[str, float]
    kernel_speedup: Mapping[str, float]
    k_bit_slowdown: float
    data_parallel: float
    sharded: float
    link_share: float
    launches_beside: bool = True
    adapter_weight: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MicroBatch:
    """Sequences in one forward pass on one of `processes` GPUs, padded to `length`."""

    sequences: float
    length: float
    processes: int = 1
    accumulation: int = 1

    @property
    def tokens(self) -> float:
        return self.sequences * self.length


@dataclass(frozen=True, slots=True, kw_only=True)
class Seconds:
    """The parts of a micro-batch's time; `total` says how they overlap."""

    compute: float
    launch: float
    links: float
    dequantise: float
    step: float
    side_by_side: bool

    @property
    def overlapping(self) -> float:
        """Compute, launch and copy time: if they overlap, the root of the sum of
        squares (a smooth maximum), else their sum.
        """
        if self.side_by_side:
            return sqrt(self.compute**2 + self.launch**2 + self.links**2)
        return self.compute + self.launch + self.links

    @property
    def total(self) -> float:
        return self.overlapping + self.dequantise + self.step

    @property
    def spread(self) -> float:
        """The relative error contributed by the less certain parts.

        Each part's share of the total times its own error: 15 % for launching, 40 %
        for links and dequantisation, 50 % for the optimizer step (the spread of those
        constants between stacks). Compute-bound time adds none: its error is part of
        the calibration.
        """
        launch, links = self._share(self.launch), self._share(self.links)
        after, step = self.dequantise / self.total, self.step / self.total
        return sqrt(
            (0.15 * launch) ** 2
            + (0.4 * links) ** 2
            + (0.4 * after) ** 2
            + (0.5 * step) ** 2
        )

    def _share(self, part: float) -> float:
        """Elasticity of the total with respect to this part."""
        if self.side_by_side:
            return part**2 / (self.overlapping * self.total or 1.0)
        return part / self.total


def micro_batch_seconds(
    architecture: Architecture,
    method: Method,
    hardware: Hardware,
    batch: MicroBatch,
    constants: Constants,
) -> Seconds:
    """Time of forward, backward and the micro-batch's share of the optimizer step.

    Known error: see the README's table; about 5 % in the median for an unseen stack, 10
    to 15 % for launch-bound micro-batches (below 2 048 tokens) and for weights sharded
    over PCIe.
    """
    launch = constants.launch_seconds
    if method.sharded and batch.processes > 1:
        launch = constants.sharded_launch_seconds
    return Seconds(
        compute=_compute(architecture, method, hardware, batch, constants),
        launch=architecture.layers * launch,
        links=_links(architecture, method, hardware, batch, constants),
        dequantise=_dequantise(architecture, method, hardware, constants),
        step=constants.step_seconds / batch.accumulation,
        side_by_side=constants.launches_beside,
    )


def _compute(
    architecture: Architecture,
    method: Method,
    hardware: Hardware,
    batch: MicroBatch,
    constants: Constants,
) -> float:
    flops = training_flops_per_token(
        architecture,
        length=batch.length,
        gradient_checkpointing=method.gradient_checkpointing,
    )
    flops += constants.adapter_weight * adapter_flops_per_token(
        architecture,
        rank=method.rank,
        gradient_checkpointing=method.gradient_checkpointing,
    )
    rate = constants.utilisation * constants.family[hardware.family]
    rate *= hardware.peak(method.weights)
    if architecture.is_mixture:
        rate *= constants.mixture
    per_token = flops / rate + _activation_seconds(
        architecture, method, hardware, constants
    )
    slower = constants.k_bit_slowdown if method.k_bit_prepared else 1.0
    share = _parallel_share(method, batch, constants)
    speedup = constants.kernel_speedup[method.kernels]
    return batch.tokens * per_token * slower / (speedup * share)


def _activation_seconds(
    architecture: Architecture,
    method: Method,
    hardware: Hardware,
    constants: Constants,
) -> float:
    """Memory traffic of one token's activations and logits, in seconds."""
    width = architecture.layers * architecture.activation_width
    width += 2 * architecture.vocabulary
    traffic = constants.activation_passes * method.compute_bytes * width
    return traffic / hardware.bandwidth


def _parallel_share(method: Method, batch: MicroBatch, constants: Constants) -> float:
    if batch.processes == 1:
        return 1.0
    return constants.sharded if method.sharded else constants.data_parallel


def _links(
    architecture: Architecture,
    method: Method,
    hardware: Hardware,
    batch: MicroBatch,
    constants: Constants,
) -> float:
    """Gathering sharded weights: 3 N bytes (n - 1) / n over the links."""
    if not method.sharded or batch.processes == 1:
        return 0.0
    passes = weight_passes(method)
    weight_bytes = 0.516 if method.is_quantised else 2.0
    others = (batch.processes - 1) / batch.processes
    gathered = passes * weight_bytes * architecture.linear_parameters * others
    return gathered / (constants.link_share * hardware.link)


def _dequantise(
    architecture: Architecture,
    method: Method,
    hardware: Hardware,
    constants: Constants,
) -> float:
    """Dequantising every layer's weights, once per pass; memory-bound."""
    if not method.is_quantised:
        return 0.0
    billions = architecture.linear_parameters / 1e9
    slower = A100_BANDWIDTH / hardware.bandwidth
    passes = weight_passes(method)
    return constants.dequantise_seconds[method.weights] * passes * billions * slower


MIXTURE_SPREAD = 0.2
"""Extra error of a mixture-of-experts model's compute time: all evidence on them comes
from one source."""


def relative_spread(architecture: Architecture, seconds: Seconds) -> float:
    """The physical model's own uncertainty for this run, besides the calibration's."""
    mixture = MIXTURE_SPREAD if architecture.is_mixture else 0.0
    return sqrt(seconds.spread**2 + mixture**2)


def weight_passes(method: Method) -> int:
    """Passes over the weights: forward, backward and, if recomputing, forward again."""
    return 3 if method.gradient_checkpointing else 2
