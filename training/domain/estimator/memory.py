"""Peak training memory by part, and whether it fits.

    M = weights + 16 P_a + T (checkpoints + max(recompute, logits)) + context

The peak occurs either in the loss (full logits) or in a layer's backward pass (its
recomputed activations), never in both: hence the max and not the sum.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from math import erf, log, sqrt

from training.domain.catalogue.architecture import Architecture
from training.domain.estimator.throughput import MicroBatch
from training.domain.method import BYTES_PER_WEIGHT, TILED_LOSS, Method

GIB = 2**30

ADAPTER_BYTES = 16
"""Bytes per trained parameter: PEFT keeps adapters in float32 (4), so are their
gradients (4), and AdamW has two float32 moments (8). Exact."""

LOSS_TILE = 32_768
"""Vocabulary entries that TRL (1.16) projects at a time; a `tiled` loss holds at most
this many logits per token."""

FITS, TIGHT, DOES_NOT_FIT = "fits", "tight", "does_not_fit"
FITS_FROM, TIGHT_FROM = 0.9, 0.25
"""Probability above which a job "fits", or is "tight" and worth a try."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryConstants:
    """Memory constants; fitted values are in `fitted.py`.

    recompute: bytes live at the peak of one layer's backward pass, as a multiple of the
        layer's activations in 16 bits (2 bytes x activation_width).
    kept: the same for a layer that is not checkpointed, all layers together.
    logit_bytes: bytes per logit in the loss, by loss implementation.
    hidden_bytes: bytes besides the logits for each hidden element of a token.
    context_gib: what the driver reports beyond the program's own tensors.
    checkpoint_copies: hidden states that a checkpointed layer leaves in memory.
    """

    recompute: float
    kept: float
    logit_bytes: Mapping[str, float]
    hidden_bytes: float
    context_gib: float
    checkpoint_copies: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryParts:
    """Bytes by part; `total` is the predicted peak."""

    weights: float
    adapters: float
    checkpoints: float
    activations: float
    context: float

    @property
    def total(self) -> float:
        held = self.weights + self.adapters + self.checkpoints
        return held + self.activations + self.context

    def scaled(self, factor: float) -> "MemoryParts":
        """All parts, scaled by the calibration factor."""
        parts = {name: getattr(self, name) * factor for name in self.__slots__}
        return MemoryParts(**parts)


def peak_memory(
    architecture: Architecture,
    method: Method,
    batch: MicroBatch,
    constants: MemoryConstants,
) -> MemoryParts:
    """Predicted peak of one GPU that holds the whole model.

    weights: N bytes by storage, embedding and head in 16 bits (32 after k-bit
        preparation or in float32);
    checkpoints: one hidden state per layer and token, 2 L h bytes (twice if norms run
        in float32), times checkpoint_copies;
    activations: max(recompute 2 A, logit_bytes V + hidden_bytes h) a token with
        checkpointing; kept 2 A L a token and the logits without. With dropout each
        adapter's input a second time, and a mask of a byte an element (of four on a
        processor). A `tiled` loss holds the logits of LOSS_TILE words.

    Known error: 4 to 8 % in the median for an unseen stack, far more for a stack with
    an unusual loss implementation; see the table in the README.
    """
    bytes_each = method.compute_bytes
    wide = 2.0 if method.k_bit_prepared else 1.0
    stored = wide * bytes_each * architecture.layers * architecture.hidden
    stored *= constants.checkpoint_copies
    checkpointing = method.gradient_checkpointing
    held = checkpointing and not method.checkpoints_offloaded
    return MemoryParts(
        weights=weight_bytes(architecture, method),
        adapters=ADAPTER_BYTES * architecture.lora_parameters(method.rank),
        checkpoints=batch.tokens * stored if held else 0.0,
        activations=batch.tokens * activation_bytes(architecture, method, constants),
        context=constants.context_gib * GIB,
    )


def weight_bytes(architecture: Architecture, method: Method) -> float:
    """The frozen weights: only the layers' matrices are quantised."""
    other = 4.0 if method.k_bit_prepared else float(method.compute_bytes)
    rest = architecture.embedding_parameters + architecture.small_parameters
    stored = BYTES_PER_WEIGHT[method.weights]
    return stored * architecture.linear_parameters + other * rest


def activation_bytes(
    architecture: Architecture, method: Method, constants: MemoryConstants
) -> float:
    """Bytes per token at the peak, besides its checkpoints."""
    scale = method.compute_bytes / 2
    layer = 2 * scale * architecture.activation_width
    mask = 4 if method.computes_in_float32 else 1
    dropped = (method.compute_bytes + mask) * architecture.adapted_width
    dropped *= method.dropout
    words = architecture.vocabulary
    if method.loss == TILED_LOSS:
        words = min(words, LOSS_TILE)
    logits = constants.logit_bytes[method.loss] * words
    if not method.gradient_checkpointing:
        return (constants.kept * layer + dropped) * architecture.layers + logits
    logits += constants.hidden_bytes * architecture.hidden
    return max(constants.recompute * layer + dropped, logits)


@dataclass(frozen=True, slots=True, kw_only=True)
class MemoryVerdict:
    """Whether the peak fits, and with what probability."""

    parts: MemoryParts
    available_bytes: float | None
    probability: float

    @property
    def required_bytes(self) -> float:
        return self.parts.total

    @property
    def verdict(self) -> str:
        if self.probability >= FITS_FROM:
            return FITS
        return TIGHT if self.probability >= TIGHT_FROM else DOES_NOT_FIT


def judge(
    parts: MemoryParts, *, available_gib: float | None, sigma: float
) -> MemoryVerdict:
    """P(fits) = Phi(ln(available / required) / sigma); 1 if the capacity is unknown.

    The error of a memory prediction is multiplicative, so its logarithm is modelled as
    normal; `sigma` is its spread, from `calibration` (0.10 before any own run).
    """
    if available_gib is None:
        return MemoryVerdict(parts=parts, available_bytes=None, probability=1.0)
    available = available_gib * GIB
    score = log(available / parts.total) / sigma
    return MemoryVerdict(
        parts=parts,
        available_bytes=available,
        probability=0.5 * (1 + erf(score / sqrt(2))),
    )
