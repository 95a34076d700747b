"""Estimates as shown by API and pages; the only place that rounds."""

from decimal import Decimal
from typing import Any

from datasets.models import Dataset
from training.domain.estimator.calibration import COVERAGE
from training.domain.estimator.changes import Change
from training.domain.estimator.estimate import Estimate, rounded
from training.domain.estimator.memory import GIB
from training.domain.estimator.model_estimate import Interval, ModelEstimate
from training.domain.estimator.plan import Plan
from training.domain.estimator.priced import cost_interval


def estimate_answer(estimate: Estimate, dataset: Dataset) -> dict[str, Any]:
    """The estimate in the API's format, plus the model-aware details."""
    found = _figures(estimate)
    found["training_details"]["dataset_name"] = dataset.name
    found["warnings"] = list(estimate.warnings)
    if estimate.catalogue is None or estimate.aware is None:
        return found
    return found | {
        "interval": interval_answer(estimate),
        "duration_parts_seconds": parts_answer(estimate.aware),
        "memory": memory_answer(estimate.aware),
        "plan": plan_answer(estimate.aware.plan),
        "evidence": evidence_answer(estimate.aware),
        "catalogue": _figures(estimate.catalogue),
    }


def _figures(estimate: Estimate) -> dict[str, Any]:
    return {
        "basis": estimate.basis,
        "estimated_cost": rounded(estimate.total_usd),
        "cost_breakdown": {
            "compute": rounded(estimate.compute_usd),
            "storage": rounded(estimate.storage_usd),
        },
        "estimated_duration_hours": rounded(estimate.hours),
        "hourly_rate": rounded(estimate.hourly_usd),
        "training_details": {
            "total_steps": estimate.total_steps,
            "steps_per_epoch": estimate.steps_per_epoch,
            "estimated_throughput_tokens_per_sec": estimate.tokens_per_second,
        },
    }


def interval_answer(estimate: Estimate) -> dict[str, Any] | None:
    """The 80 % intervals of hours and cost."""
    cost = cost_interval(estimate)
    if cost is None or estimate.aware is None:
        return None
    return {
        "coverage": COVERAGE,
        "hours": _range(estimate.aware.hours),
        "cost": _range(cost),
    }


def _range(interval: Interval) -> dict[str, Decimal]:
    ends = {"low": interval.low, "expected": interval.expected, "high": interval.high}
    return {name: rounded(Decimal(value)) for name, value in ends.items()}


def parts_answer(aware: ModelEstimate) -> dict[str, float]:
    """Seconds by phase."""
    names = aware.parts.__slots__
    return {name: round(getattr(aware.parts, name), 1) for name in names}


def memory_answer(aware: ModelEstimate) -> dict[str, Any]:
    """Required and available GiB of one GPU, and a change that would make it fit."""
    verdict = aware.memory
    available = verdict.available_bytes
    parts = {n: gib(getattr(verdict.parts, n)) for n in verdict.parts.__slots__}
    return {
        "required_gib": gib(verdict.required_bytes),
        "available_gib": None if available is None else gib(available),
        "probability": round(verdict.probability, 3),
        "verdict": verdict.verdict,
        "parts_gib": parts,
        "change": None if aware.change is None else change_answer(aware.change),
    }


def gib(size: float) -> float:
    """Bytes as rounded GiB."""
    return round(size / GIB, 2)


def change_answer(change: Change) -> dict[str, Any]:
    """A change as request fields: only those that differ."""
    given = change.values.items()
    values = {name: None if value == "auto" else value for name, value in given}
    gpu_type = values.pop("gpu_type", None)
    return {
        "sentence": change.sentence,
        "hyperparameters": values,
        "gpu_type": gpu_type,
    }


def plan_answer(plan: Plan) -> dict[str, Any]:
    """The values chosen automatically."""
    return {
        "method": plan.method.name,
        "packing": plan.method.packing,
        "gradient_checkpointing": plan.method.gradient_checkpointing,
        "micro_batch": plan.micro_batch,
        "gradient_accumulation": plan.accumulation,
        "processes": plan.processes,
    }


def evidence_answer(aware: ModelEstimate) -> dict[str, Any]:
    """Number of finished runs behind the estimate."""
    evidence = aware.evidence
    return {
        "similar_runs": evidence.runs,
        "runs_on_this_gpu_type": evidence.same_gpu,
        "hardware": evidence.hardware,
        "note": evidence.note,
    }
