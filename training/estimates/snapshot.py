"""The estimate stored on a job, for comparison with the actual run."""

from dataclasses import asdict
from decimal import Decimal
from typing import Any

from training.domain.estimator.estimate import Estimate, rounded
from training.domain.estimator.model_estimate import Interval, ModelEstimate
from training.domain.estimator.priced import cost_interval
from training.estimates.answer import (
    evidence_answer,
    memory_answer,
    parts_answer,
    plan_answer,
)
from training.models import GpuType


def expectations(estimate: Estimate, gpu: GpuType) -> dict[str, Any]:
    """The job's estimate fields, at the price frozen now."""
    aware, cost = estimate.aware, cost_interval(estimate)
    return {
        "total_steps": estimate.total_steps,
        "usd_per_gpu_hour": gpu.usd_per_hour,
        "storage_usd": rounded(estimate.storage_usd),
        "estimated_total_cost": rounded(estimate.total_usd),
        "estimated_high_cost": None if cost is None else rounded(Decimal(cost.high)),
        "estimated_hours": float(estimate.hours),
        "plan": None if aware is None else plan_answer(aware.plan),
        "estimate": None if aware is None else remembered(estimate, aware),
    }


def remembered(estimate: Estimate, aware: ModelEstimate) -> dict[str, Any]:
    """The model-aware estimate as plain values, whichever figures the job shows.

    `time` and `memory` hold what a finished run is compared with: the uncalibrated
    prediction (the base of the residual), the calibrated one, and its uncertainty.
    """
    return {
        "basis": estimate.basis,
        "seconds": _plain(aware.seconds),
        "duration_parts_seconds": parts_answer(aware),
        "overheads": asdict(aware.overheads),
        "memory": memory_answer(aware),
        "evidence": evidence_answer(aware),
        "time": {
            "cell": list(aware.cell),
            "predicted_step_seconds": aware.predicted_step_seconds,
            "step_seconds": aware.step_seconds,
            "sigma": aware.step_sigma,
            "multiplier": aware.multiplier,
            "padding_share": aware.padding_share,
        },
        "memory_cell": {
            "cell": list(aware.memory_cell),
            "predicted_bytes": aware.predicted_bytes,
            "bytes": aware.memory.required_bytes,
            "available_bytes": aware.memory.available_bytes,
            "sigma": aware.memory_sigma,
        },
    }


def _plain(interval: Interval) -> dict[str, float]:
    return {name: getattr(interval, name) for name in interval.__slots__}
