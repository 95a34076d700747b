"""The training method: a job's choices besides its hyperparameters."""

from dataclasses import dataclass, replace
from typing import Any

LORA = "lora"
QLORA = "qlora"
METHODS = (LORA, QLORA)

EAGER = "eager"
FUSED = "fused"
COMPILED = "compiled"
KERNELS = (EAGER, FUSED, COMPILED)

NATIVE_LOSS = "native"
FUSED_LOSS = "fused"
CHUNKED_LOSS = "chunked"
TILED_LOSS = "tiled"

BYTES_PER_WEIGHT = {
    "fp32": 4.0,
    "fp16": 2.0,
    "bf16": 2.0,
    "int8": 1.05,
    "gptq": 0.53,
    "gptq_torch": 0.53,
    "nf4": 0.516,
}
"""Bytes per stored weight, including the quantisation constants.

NF4 with double quantisation: 4 bits, an 8-bit absmax per 64 weights and a float32 per
256 of those: 0.5 + 1/64 + 4/(64 * 256) = 0.5159 (Dettmers et al. 2023, section 3).
GPTQ in groups of 128: 4 bits, a 16-bit scale and a 4-bit zero a group: 0.52, and the
packed order of the groups (AutoGPTQ's g_idx); `gptq_torch` is unpacked by PyTorch
operations instead of one kernel. LLM.int8: a byte, and float32 per row.
"""


QUANTISED = frozenset({"nf4", "gptq", "gptq_torch", "int8"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Method:
    """Choices that determine time and memory of a step, with the trainer's defaults.

    `weights` is how the frozen weights are stored, a key of BYTES_PER_WEIGHT.
    `k_bit_prepared` is PEFT's preparation for quantised training: norms, embedding and
    output head go to float32. `loss` says how logits are held: `native` whole in the
    loss's precision, `fused` by a fused cross entropy, `chunked` never whole (Liger,
    torchtune, TRL on a GPU), `tiled` as TRL does it on a processor: a part of the
    vocabulary at a time, in several copies. `sharded` means weights split over GPUs
    (FSDP, ZeRO-3).
    `computes_in_float32`: quantised weights on a processor, which has no 16-bit units.
    `dropout`: adapters drop some of their inputs, so each keeps a copy of its own.
    """

    weights: str = "bf16"
    rank: int = 16
    gradient_checkpointing: bool = True
    packing: bool = False
    kernels: str = EAGER
    loss: str = NATIVE_LOSS
    k_bit_prepared: bool = False
    sharded: bool = False
    checkpoints_offloaded: bool = False
    computes_in_float32: bool = False
    dropout: bool = False

    def __post_init__(self) -> None:
        if self.weights not in BYTES_PER_WEIGHT:
            known = ", ".join(BYTES_PER_WEIGHT)
            raise ValueError(
                f"Received weights {self.weights!r}; supported are {known}."
            )
        if self.rank < 1:
            raise ValueError(f"Received rank {self.rank}; must be at least 1.")

    @property
    def is_quantised(self) -> bool:
        return self.weights in QUANTISED

    @property
    def name(self) -> str:
        """`lora` or `qlora`, as in a job's settings."""
        return QLORA if self.is_quantised else LORA

    @property
    def compute_bytes(self) -> int:
        """Bytes of one activation: 4 where the model computes in float32, else 2."""
        return 4 if self.weights == "fp32" or self.computes_in_float32 else 2

    def at(self, precision: str) -> "Method":
        """The method on a machine with this native precision.

        A processor ("fp32") computes in float32 and whole tiles of logits of all
        tokens; a GPU those of learned tokens, in one kernel.
        """
        on_cpu = precision == "fp32"
        return self.changed(
            weights=self.weights if self.is_quantised else precision,
            loss=TILED_LOSS if on_cpu else CHUNKED_LOSS,
            computes_in_float32=on_cpu,
        )

    def changed(self, **changes: Any) -> "Method":
        """A copy of the method with these changes."""
        return replace(self, **changes)
