"""Benchmarks this machine with random weights to calibrate estimates up front."""

import json
import subprocess
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from math import log
from typing import Any

from django.db import transaction

from training.domain.catalogue.base_models import KNOWN_MODELS
from training.domain.catalogue.gpus import CPU
from training.domain.config import Hyperparameters
from training.domain.estimator.batches import LengthHistogram
from training.domain.estimator.model_estimate import (
    Knowledge,
    ModelEstimate,
    estimate_job,
)
from training.domain.estimator.plan import Setup
from training.domain.method import LORA, METHODS
from training.estimates.calibration import MEMORY, TIME
from training.estimates.learning import (
    STEPS_NEEDED,
    Kind,
    Outcome,
    add_residual,
    peak_bytes,
)
from training.estimates.quote import method_of, place_of
from training.launchers.program import run, trainer_command
from training.models import BaseModel, CalibrationRecord, GpuType

ON_CPU = ("HuggingFaceTB/SmolLM2-135M-Instruct",)
ON_GPU = (
    "Qwen/Qwen2.5-0.5B-Instruct",
    "Qwen/Qwen2.5-1.5B-Instruct",
    "Qwen/Qwen2.5-3B-Instruct",
    "meta-llama/Llama-3.1-8B-Instruct",
    "microsoft/phi-4",
)
CPU_SHAPES = ((64, 1), (128, 1), (128, 2), (256, 1), (128, 4))
GPU_SHAPES = ((512, 1), (1024, 2), (2048, 1), (1024, 8), (4096, 2))
STEPS, RANK = 5, 16
POINT_SECONDS = 600
Say = Callable[[str], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Point:
    """One model at one shape; `length` and `micro_batch` in tokens and sequences."""

    base_model: str
    method: str
    length: int
    micro_batch: int

    def __str__(self) -> str:
        shape = f"{self.micro_batch} x {self.length} tokens"
        return f"{self.base_model}, {self.method}, {shape}"


def grid(gpu: GpuType) -> Iterator[Point]:
    """Benchmark points, cheapest first, so that stopping early still covers each kind.

    On a CPU, one small model with LoRA; on a GPU, five sizes with LoRA and QLoRA.
    """
    models, shapes = (ON_CPU, CPU_SHAPES) if gpu.is_cpu else (ON_GPU, GPU_SHAPES)
    methods = (LORA,) if gpu.is_cpu else METHODS
    for length, micro_batch in shapes:
        for model in models:
            for method in methods:
                yield Point(
                    base_model=model,
                    method=method,
                    length=length,
                    micro_batch=micro_batch,
                )


def probe(gpu: GpuType, *, seconds: float, say: Say) -> int:
    """Measure the grid until time runs out; returns the number of records stored.

    Points that fail or run out of memory are reported and skipped.
    """
    deadline, stored = time.monotonic() + seconds, 0
    for point in grid(gpu):
        left = deadline - time.monotonic()
        if left <= 0:
            say("time limit reached")
            break
        found = _measure(point, min(left + 60, POINT_SECONDS))
        if "error" in found:
            say(f"{point}: {found['error']}")
            continue
        estimate = _predicted(point, gpu)
        if estimate is None:
            say(f"{gpu.name} has no specifications to compare with: add them in admin")
            break
        words = _store(point, gpu, found, estimate)
        stored += 1
        say(f"{point}: {words}")
    return stored


def _measure(point: Point, seconds: float) -> dict[str, Any]:
    """Runs each point in its own process, so that peak memory is its own."""
    body = {
        "dimensions": asdict(KNOWN_MODELS[point.base_model].architecture),
        "method": point.method,
        "rank": RANK,
        "length": point.length,
        "micro_batch": point.micro_batch,
        "gradient_checkpointing": False,
        "steps": STEPS,
    }
    try:
        done = run(trainer_command("probe", json.dumps(body)), seconds=seconds)
    except subprocess.TimeoutExpired:
        return {"error": f"skipped: took more than {seconds:.0f} s"}
    if done.returncode:
        reason = (done.stderr.strip().splitlines() or ["no reason given"])[-1]
        return {"error": f"skipped: {reason[:200]}"}
    found: dict[str, Any] = json.loads(done.stdout.strip().splitlines()[-1])
    return found


def _predicted(point: Point, gpu: GpuType) -> ModelEstimate | None:
    """The uncalibrated prediction for the point."""
    model = BaseModel.objects.filter(pk=point.base_model).first()
    hardware, place = gpu.hardware, place_of(gpu, 1, model)
    if hardware is None or place is None:
        return None
    chosen = Hyperparameters(
        learning_rate=0.0001,
        batch_size=point.micro_batch,
        epochs=1,
        rank=RANK,
        alpha=2 * RANK,
        method=point.method,
    )
    setup = Setup(
        base_model=point.base_model,
        architecture=KNOWN_MODELS[point.base_model].architecture,
        lengths=LengthHistogram.uniform(
            pairs=point.micro_batch * STEPS,
            total_tokens=point.micro_batch * STEPS * point.length,
        ),
        batch_size=point.micro_batch,
        epochs=1,
        max_length=point.length,
        method=method_of(hardware, chosen),
        micro_batch=point.micro_batch,
        gradient_checkpointing=False,
    )
    return estimate_job(setup, place, Knowledge())


@transaction.atomic
def _store(
    point: Point, gpu: GpuType, found: dict[str, Any], said: ModelEstimate
) -> str:
    """Store one record with its residuals; returns a summary."""
    seconds, peak = found["step_seconds_p50"], peak_bytes(found)
    time_residual = memory_residual = None
    if seconds and found["steps"] >= STEPS_NEEDED:
        time_residual = log(seconds / said.predicted_step_seconds)
        add_residual(TIME, said.cell, time_residual)
    if peak:
        memory_residual = log(peak / said.predicted_bytes)
        add_residual(MEMORY, said.memory_cell, memory_residual)
    CalibrationRecord.objects.create(
        kind=Kind.PROBE,
        outcome=Outcome.COMPLETED,
        gpu_type=gpu.name,
        method=point.method,
        base_model=point.base_model,
        setup={"length": point.length, "micro_batch": point.micro_batch, "rank": RANK},
        measured=found,
        predicted={
            "step_seconds": said.predicted_step_seconds,
            "bytes": said.predicted_bytes,
        },
        time_residual=time_residual,
        memory_residual=memory_residual,
    )
    tokens = found["tokens_a_step"] / seconds if seconds else 0
    return f"{tokens:,.0f} tokens/s, peak {(peak or 0) / 2**30:.2f} GiB"


def machine_to_probe() -> GpuType:
    """The fastest connected GPU type, else CPU."""
    connected = GpuType.objects.with_connection().exclude(offers=None)
    found = connected.exclude(pk=CPU).first()
    return found or GpuType.objects.get(pk=CPU)
