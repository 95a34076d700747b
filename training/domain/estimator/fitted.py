"""The fitted constants and their prior uncertainties.

Fitted on 2026-11-24 by `make bench-estimator` (tests/benchmarks/estimator) on published
runs of seven repositories: 317 with times, 185 with memory. It prints these values; the
priors, with their reasons, are in its `problems.py`. Values marked as guesses have no
run behind them. Errors on held-out sources: README.
"""

from dataclasses import replace

from training.domain.estimator.calibration import Spreads
from training.domain.estimator.memory import MemoryConstants
from training.domain.estimator.throughput import Constants
from training.domain.method import TILED_LOSS

TIME = Constants(
    utilisation=0.5985,
    family={
        "a100": 1.021,
        "h100": 0.6757,
        "geforce": 1.247,
        "workstation": 0.892,
        # Guesses: V100 reaches 0.35 of its peak on plain stacks; a B200 less of its
        # peak than an H100; an MI300X 0.58 in matrix products alone. The CPU's was
        # fitted together with CPU_TIME.
        "v100": 0.6,
        "b200": 0.6,
        "mi300x": 0.45,
        "cpu": 1.1,
    },
    mixture=0.9473,
    activation_passes=14.15,
    launch_seconds=0.004434,
    sharded_launch_seconds=0.01534,
    step_seconds=0.1041,
    dequantise_seconds={
        "nf4": 0.003567,
        "int8": 0.003567,
        "gptq": 0.004557,
        "gptq_torch": 0.01135,
    },
    kernel_speedup={"eager": 1.0, "fused": 1.176, "compiled": 1.295},
    k_bit_slowdown=1.094,
    data_parallel=0.9759,
    sharded=0.9514,
    link_share=0.4432,
)

CPU_TIME = replace(
    TIME,
    launch_seconds=0.012,
    step_seconds=0.0,
    launches_beside=False,
    adapter_weight=2.0,
)
"""On a processor a layer's hundred-odd small operations, each shared out to the threads
anew, take 12 ms before any token is computed; an adapter's optimizer step takes none
that shows. Solved from 36 probes of 10 and 30 layers of SmolLM2-135M and the 32 of its
360M, in micro-batches of 16 to 512 tokens, and twelve more of ranks 4 to 32, on two
cores on 2026-11-27, threads waiting awake. Known error 15 % root mean square, as much
as a repeated probe's own; it was 55 % without launching."""

CPU_TIME_NOISE = 0.12
"""A processor is shared with the console and, on a rented machine, with strangers. As
standard deviations: a probe repeated a quarter of an hour later varies by 15 % (18
pairs), a run of a minute and a half by 9 % (six pairs, 2026-11-25 and 27)."""

MEMORY = MemoryConstants(
    recompute=2.26,
    kept=1.56,
    logit_bytes={"native": 15.34, "narrow": 6.842, "fused": 12.83, "chunked": 0.5},
    hidden_bytes=32.35,
    context_gib=1.545,
)

CPU_MEMORY = replace(
    MEMORY,
    kept=2.0,
    logit_bytes={**MEMORY.logit_bytes, TILED_LOSS: 43.0},
    context_gib=0.515,
    checkpoint_copies=18.0,
)
"""On a processor, where the peak is the process's resident set: all is float32,
`context_gib` is interpreter and libraries, and the loss holds eleven float32 copies of
a tile for every position, learned or not. Checkpoints leave the heap in pieces, which
costs far more than themselves. Solved from probes of 10 and 30 layers with 2 048 and
49 152 words at 64 to 1 024 tokens on 2026-11-25; known error 6 % without checkpointing,
9 % with it."""

TIME_SPREADS = Spreads(
    levels=(0.10, 0.12, 0.08, 0.12, 0.05, 0.08),
    gpu_similar=0.20,
    gpu_without_evidence=0.35,
    multiplier=0.65,
    multiplier_with_runs=1.0,
)
"""Starting spreads by experience, widened where nothing was measured. The multiplier
without runs is what covered 80 % with each source held out; it is below one since the
deviations of several levels seldom add up in one direction."""

MEMORY_SPREADS = Spreads(
    levels=(0.02, 0.08, 0.04, 0.04, 0.02, 0.08),
    gpu_similar=0.02,
    gpu_without_evidence=0.03,
    multiplier=1.0,
    multiplier_with_runs=1.0,
)
"""Memory hardly depends on the card; what a stack keeps does."""
