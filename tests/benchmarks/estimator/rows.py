"""The published measurements as the estimator sees them.

What a row says of its stack is read from its method and source: kernels, how the loss
is computed, who reads the memory. The exclusions are fixed here, before anything is
fitted.
"""

import csv
import os
import re
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from training.domain.catalogue.architecture import Architecture
from training.domain.catalogue.base_models import KNOWN_MODELS
from training.domain.catalogue.gpus import HARDWARE, NO_EVIDENCE, Hardware
from training.domain.estimator.throughput import MicroBatch
from training.domain.method import Method

_BESIDE = Path(__file__).parents[4] / "shared" / "data" / "measured_lora_runs.csv"
MEASURED = Path(os.environ.get("MEASURED_RUNS", _BESIDE))
"""The table lies beside the repository, not in it; MEASURED_RUNS names another."""

FMS, QWEN = "foundation-model-stack/fms-acceleration", "QwenLM/Qwen"
FSDP_QLORA, TORCHTUNE = "AnswerDotAI/fsdp_qlora", "pytorch/torchtune"
FACTORY, SWIFT = "hiyouga/LLaMA-Factory", "modelscope/ms-swift"
LITGPT = "Lightning-AI/litgpt"


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One published run. `seconds` of a micro-batch, None when it ran out of memory."""

    source: str
    label: str
    architecture: Architecture
    method: Method
    hardware: Hardware
    batch: MicroBatch
    seconds: float | None
    peak_gib: float | None
    out_of_memory: bool
    timed: bool
    weighed: bool

    @property
    def stack(self) -> str:
        """The published setting without its model."""
        return f"{self.source}|{self.hardware.name}|{self.label}"


def _dense(*dimensions: int, **flags: bool | int) -> Architecture:
    names = ("layers", "hidden", "ffn", "query", "key_value", "vocabulary")
    return Architecture(**dict(zip(names, dimensions, strict=True)), **flags)  # type: ignore[arg-type]


# Models of the table that the product's catalogue does not list; source: their
# config.json.
_OTHERS = {
    "Qwen-1.8B": _dense(24, 2048, 5504, 2048, 2048, 151936, qkv_bias=True),
    "Qwen-7B": _dense(32, 4096, 11008, 4096, 4096, 151936, qkv_bias=True),
    "Qwen-14B": _dense(40, 5120, 13696, 5120, 5120, 152064, qkv_bias=True),
    "Qwen-72B": _dense(80, 8192, 24576, 8192, 8192, 152064, qkv_bias=True),
    "Llama-3.1-405B": _dense(126, 16384, 53248, 16384, 1024, 128256),
    "SantaCoder-1.1B": _dense(
        *(24, 2048, 8192, 2048, 128, 49280), gated=False, tied_embeddings=True
    ),
    "PowerLM-3B": _dense(40, 2304, 9216, 2304, 2304, 49152, tied_embeddings=True),
    "phi-1.5": _dense(24, 2048, 8192, 2048, 2048, 51200, gated=False),
}
_KNOWN = {
    "Llama-3-8B": "meta-llama/Llama-3.1-8B-Instruct",
    "Llama-3.1-8B": "meta-llama/Llama-3.1-8B-Instruct",
    "Llama-3.1-70B": "meta-llama/Llama-3.3-70B-Instruct",
    "Llama-3.2-3B": "meta-llama/Llama-3.2-3B-Instruct",
    "Llama-2-7B": "meta-llama/Llama-2-7b-chat-hf",
    "Llama-2-13B": "meta-llama/Llama-2-13b-chat-hf",
    "Yi-34B": "01-ai/Yi-34B-Chat",
    "Mixtral-8x7B": "mistralai/Mixtral-8x7B-Instruct-v0.1",
}


def architecture_of(model: str) -> Architecture:
    """Dimensions of a model of the table."""
    if model in _OTHERS:
        return _OTHERS[model]
    if model == "Llama-2-70B":
        llama_3 = KNOWN_MODELS["meta-llama/Llama-3.3-70B-Instruct"].architecture
        return replace(llama_3, vocabulary=32000)
    if model.startswith("Mistral-7B"):
        v3 = KNOWN_MODELS["mistralai/Mistral-7B-Instruct-v0.3"].architecture
        return replace(v3, vocabulary=32000)
    return KNOWN_MODELS[_KNOWN[model]].architecture


def _card(name: str, like: str, **changes: object) -> Hardware:
    return replace(HARDWARE[like], name=name, evidence=NO_EVIDENCE, **changes)  # type: ignore[arg-type]


_CARDS = {
    "A100-80GB": HARDWARE["A100-80GB"],
    "A100-40GB": HARDWARE["A100-40GB"],
    "H100-80GB": HARDWARE["H100"],
    "RTX4090": HARDWARE["RTX-4090"],
    # The benchmark's own words: two cards "without NVLink" on "an older motherboard"
    # with "slow" lanes. PCIe 3.0 x8 is what such a board gives two cards.
    "RTX3090-280W": _card("RTX3090-280W", "RTX-3090", link=7.9e9),
    "A6000": _card(
        *("A6000", "RTX-3090"),
        family="workstation",
        peak_flops={"fp16": 155e12, "bf16": 155e12},
        bandwidth=768e9,
        capacity_gib=47.5,
    ),
    "A5000-24GB": _card(
        *("A5000-24GB", "RTX-3090"),
        family="workstation",
        peak_flops={"fp16": 111e12, "bf16": 111e12},
        bandwidth=768e9,
    ),
    "A6000Ada-48GB": _card(
        *("A6000Ada-48GB", "RTX-3090"),
        family="workstation",
        peak_flops={"fp16": 364e12, "bf16": 364e12},
        bandwidth=960e9,
        capacity_gib=47.5,
    ),
    "unspecified": HARDWARE["A100-80GB"],
}


@cache
def measured() -> tuple[Row, ...]:
    """Every row of the table that is not left out."""
    with MEASURED.open() as lines:
        return tuple(
            _row(line) for line in csv.DictReader(lines) if not _left_out(line)
        )


def _left_out(line: dict[str, str]) -> bool:
    """fp8, CPU offload, two nodes, and rows without length or batch, as published."""
    elsewhere = "cpuoff" in line["method"] or "2nodes" in line["method"]
    return (
        line["precision"] == "fp8"
        or elsewhere
        or not (line["seq_len"].isdigit() and line["micro_batch"].isdigit())
    )


def _row(line: dict[str, str]) -> Row:
    source = re.split("[:@#]", line["source"])[0].removeprefix("github.com/")
    source = source.removesuffix("/wiki/Performance-comparison")
    batch = _batch(line, source)
    out_of_memory = line["tokens_per_s_total"] == "OOM"
    rate = float(line["tokens_per_s_total"] or 0) if not out_of_memory else 0.0
    only_mean = line["packing"].startswith("padd") and source == FMS
    return Row(
        source=source,
        label=f"{line['model']}|{re.sub(' ?[(].*samples/s.*[)]', '', line['method'])}",
        architecture=architecture_of(line["model"]),
        method=_method(line, source),
        hardware=_CARDS[line["gpu"]],
        batch=batch,
        seconds=batch.tokens * batch.processes / rate if rate else None,
        peak_gib=_peak_gib(line, source),
        out_of_memory=out_of_memory,
        timed=bool(rate) and line["gpu"] != "unspecified",
        # Its peak follows the longest sequence, of which only the mean is published;
        # and without knowing whether checkpoints were on, memory says nothing.
        weighed=line["count"] == "1" and not only_mean and line["grad_ckpt"] != "?",
    )


def _batch(line: dict[str, str], source: str) -> MicroBatch:
    """Where samples/s are published too, tokens/s over samples/s is the true length."""
    length, sequences = float(line["seq_len"]), int(line["micro_batch"])
    samples = re.search(r"\(([\d.]+) samples/s; tok", line["method"])
    if samples:
        length = float(line["tokens_per_s_total"]) / float(samples[1])
    return MicroBatch(
        sequences=sequences,
        length=length,
        processes=int(line["count"]),
        accumulation=8 if source == QWEN else 1,
    )


def _peak_gib(line: dict[str, str], source: str) -> float | None:
    """The published peak in GiB; LitGPT prints 10^9 bytes, the others GiB."""
    if not line["peak_mem_gb"]:
        return None
    return float(line["peak_mem_gb"]) * (1e9 / 2**30 if source == LITGPT else 1)


def _method(line: dict[str, str], source: str) -> Method:
    words, precision = line["method"], line["precision"]
    weights = {"bf16": "bf16", "nf4-dq": "nf4", "nf4": "nf4", "int8": "int8"}.get(
        precision, "gptq_torch" if source in (QWEN, SWIFT) else "gptq"
    )
    fused = "foak" in words or "Unsloth" in words
    prepared = "baseline" in words or (weights != "bf16" and source in (QWEN, SWIFT))
    return Method(
        weights=weights,
        rank={QWEN: 64, FMS: 16}.get(source, 8),
        gradient_checkpointing=line["grad_ckpt"] != "0",
        packing=line["packing"] == "packed",
        kernels="compiled" if source == TORCHTUNE else "fused" if fused else "eager",
        loss=_loss(words, source, line["model"]),
        k_bit_prepared=prepared,
        sharded=any(word in words for word in ("FSDP", "ZeRO3")) or source == FMS,
        checkpoints_offloaded="Unsloth" in words,
    )


def _loss(words: str, source: str, model: str) -> str:
    """How the stack holds its logits.

    Llama's modelling code widens them to float32, GPTBigCode's (SantaCoder) and Qwen's
    own do not. Qwen's QLoRA scripts run in pure fp16 under DeepSpeed, while its LoRA
    scripts compute the loss in float32 by autocast. Fused losses know no GPTBigCode.
    """
    if model.startswith("SantaCoder"):
        return "narrow"
    if "liger" in words or "Unsloth" in words or source in (TORCHTUNE, LITGPT):
        return "chunked"
    if "foak" in words:
        return "fused"
    if source == SWIFT:
        return "twice"
    return "narrow" if source == QWEN and words.startswith("QLoRA") else "native"
