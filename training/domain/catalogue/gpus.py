"""Hardware specifications: what the estimator needs to know about each GPU type.

Peaks are dense (without sparsity) with float32 accumulation, from the vendors' data
sheets. Capacity is what a program can actually allocate, which is less than the name
says.
"""

from collections.abc import Mapping
from dataclasses import dataclass

CPU = "CPU"
"""The type that is this machine's processor."""
MEASURED = "measured"
SIMILAR = "similar"
NO_EVIDENCE = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hardware:
    """One GPU of a type, or the CPU.

    `peak_flops` by precision; `bandwidth` of its memory and `link` to its neighbours in
    bytes a second, each way; `capacity_gib` None means: ask the machine. `family` names
    the fitted factor on its peak (throughput.Constants). `evidence` says whether
    published or own runs on it stand behind the constants.
    """

    name: str
    family: str
    peak_flops: Mapping[str, float]
    bandwidth: float
    capacity_gib: float | None
    link: float
    evidence: str
    note: str

    @property
    def is_processor(self) -> bool:
        """Computes on the cores that also run the trainer's Python."""
        return self.family == "cpu"

    @property
    def native_precision(self) -> str:
        """The trainer's precision on this hardware: bf16, else fp16, else fp32."""
        for precision in ("bf16", "fp16"):
            if precision in self.peak_flops:
                return precision
        return "fp32"

    def peak(self, weights: str) -> float:
        """Peak FLOP/s for this weight storage; quantised ones compute in 16 bits."""
        wanted = weights if weights in self.peak_flops else self.native_precision
        return self.peak_flops[wanted]


def _peaks(**teraflops: float) -> dict[str, float]:
    return {precision: value * 1e12 for precision, value in teraflops.items()}


_NVLINK_3, _NVLINK_4, _NVLINK_5 = 300e9, 450e9, 900e9
_PCIE_3, _PCIE_4, _PCIE_5 = 15.75e9, 31.5e9, 63e9

_ALL = (
    Hardware(
        name="A100-80GB",
        family="a100",
        peak_flops=_peaks(fp32=19.5, fp16=312, bf16=312),
        bandwidth=2039e9,
        capacity_gib=79.15,
        link=_NVLINK_3,
        evidence=MEASURED,
        note="Most published runs, from six stacks, were made on this one.",
    ),
    Hardware(
        name="A100-40GB",
        family="a100",
        peak_flops=_peaks(fp32=19.5, fp16=312, bf16=312),
        bandwidth=1555e9,
        capacity_gib=39.39,
        link=_NVLINK_3,
        evidence=MEASURED,
        note="Published runs from two stacks.",
    ),
    Hardware(
        name="H100",
        family="h100",
        peak_flops=_peaks(fp32=67, fp16=989, bf16=989, fp8=1979),
        bandwidth=3350e9,
        capacity_gib=79.11,
        link=_NVLINK_4,
        evidence=SIMILAR,
        note="One published run; plain stacks reach a smaller share of its peak.",
    ),
    Hardware(
        name="V100-32GB",
        family="v100",
        peak_flops=_peaks(fp32=15.7, fp16=125),
        bandwidth=900e9,
        capacity_gib=31.73,
        link=150e9,
        evidence=NO_EVIDENCE,
        note="No bf16: trains in fp16. No published run: the factor is a guess.",
    ),
    Hardware(
        name="H200",
        family="h100",
        peak_flops=_peaks(fp32=67, fp16=989, bf16=989, fp8=1979),
        bandwidth=4800e9,
        capacity_gib=139.8,
        link=_NVLINK_4,
        evidence=SIMILAR,
        note="The chip of an H100 with more and faster memory.",
    ),
    Hardware(
        name="B200",
        family="b200",
        peak_flops=_peaks(fp32=75, fp16=2250, bf16=2250, fp8=4500),
        bandwidth=7700e9,
        capacity_gib=178.4,
        link=_NVLINK_5,
        evidence=NO_EVIDENCE,
        note="No published LoRA run: assumed a little below an H100's share.",
    ),
    Hardware(
        name="L4",
        family="workstation",
        peak_flops=_peaks(fp32=30.3, fp16=121, bf16=121, fp8=242),
        bandwidth=300e9,
        capacity_gib=22.03,
        link=_PCIE_4,
        evidence=NO_EVIDENCE,
        note="72 W: seldom holds its clock. No published run.",
    ),
    Hardware(
        name="L40S",
        family="workstation",
        peak_flops=_peaks(fp32=91.6, fp16=362, bf16=362, fp8=733),
        bandwidth=864e9,
        capacity_gib=44.4,
        link=_PCIE_4,
        evidence=SIMILAR,
        note="The chip of an RTX 6000 Ada, which reached a fifth of its peak.",
    ),
    Hardware(
        name="RTX-4090",
        family="geforce",
        peak_flops=_peaks(fp32=82.6, fp16=165.2, bf16=165.2, fp8=330.3),
        bandwidth=1008e9,
        capacity_gib=23.5,
        link=_PCIE_4,
        evidence=MEASURED,
        note="Published runs from two stacks; no NVLink.",
    ),
    Hardware(
        name="RTX-3090",
        family="geforce",
        peak_flops=_peaks(fp32=35.6, fp16=71.2, bf16=71.2),
        bandwidth=936e9,
        capacity_gib=23.6,
        link=_PCIE_4,
        evidence=MEASURED,
        note="Published runs from one stack, limited to 280 W.",
    ),
    Hardware(
        name="T4",
        family="v100",
        peak_flops=_peaks(fp32=8.1, fp16=65),
        bandwidth=320e9,
        capacity_gib=14.56,
        link=_PCIE_3,
        evidence=NO_EVIDENCE,
        note="No bf16: trains in fp16. 70 W: seldom holds its clock. No published run.",
    ),
    Hardware(
        name="MI300X",
        family="mi300x",
        peak_flops=_peaks(fp32=163.4, fp16=1307, bf16=1307, fp8=2615),
        bandwidth=5300e9,
        capacity_gib=191.5,
        link=448e9,
        evidence=NO_EVIDENCE,
        note="ROCm. Matrix products alone reach under 60 % of its peak. No LoRA run.",
    ),
    Hardware(
        name=CPU,
        family="cpu",
        peak_flops=_peaks(fp32=0.15),
        bandwidth=20e9,
        capacity_gib=None,
        link=20e9,
        evidence=NO_EVIDENCE,
        note="Assumes two cores with AVX-512 until this machine is probed.",
    ),
)
HARDWARE = {hardware.name: hardware for hardware in _ALL}
