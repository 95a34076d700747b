"""Calibration from runs: one record per run, and the cells estimates use."""

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import log
from typing import Any

from django.db import transaction
from django.db.models import F
from django.utils import timezone

from training.domain.estimator.calibration import Belief, censored_residual, score
from training.domain.estimator.duration import DurationParts, Overheads
from training.domain.estimator.overheads import overhead_residuals
from training.estimates.calibration import MEMORY, TIME
from training.estimates.lengths import counts_of, lengths_of
from training.models import (
    BaseModel,
    CalibrationCell,
    CalibrationRecord,
    CalibrationScore,
    RunAttempt,
    TrainingJob,
)

logger = logging.getLogger(__name__)
STEPS_NEEDED = 3
HALF_WIDTH_OF_80_PERCENT = 1.28
Kind, Outcome = CalibrationRecord.Kind, CalibrationRecord.Outcome


@dataclass(frozen=True, slots=True, kw_only=True)
class Residual:
    """ln(measured / predicted by the physical model), for its calibration cell.

    `mean` and `sigma` are the prior belief; `half_width` is in sigmas.
    """

    target: str
    cell: Sequence[str]
    value: float
    mean: float
    sigma: float
    half_width: float

    @property
    def inside(self) -> bool:
        return abs(self.value - self.mean) <= self.half_width * self.sigma

    @property
    def belief(self) -> Belief:
        return Belief(mean=self.mean, variance=self.sigma**2, noise=0.0, counts=())


def learn_from_run(job: TrainingJob, attempt: RunAttempt) -> None:
    """Record a completed run. Errors here never fail the run."""
    measured = attempt.facts.get("measured")
    if not measured or not job.estimate:
        return
    try:
        with transaction.atomic():
            _learn(job, attempt, measured, job.estimate)
    except Exception:
        logger.exception("could not record calibration data of %s", job.pk)


def _learn(
    job: TrainingJob,
    attempt: RunAttempt,
    measured: dict[str, Any],
    estimate: dict[str, Any],
) -> None:
    time, memory = _time(measured, estimate), _memory(measured, estimate)
    whole = attempt.number == 1
    seconds = attempt.running_seconds if whole else None
    for residual in (time, memory):
        if residual is not None:
            add_residual(residual.target, residual.cell, residual.value)
    if time is not None:
        _score(time, inside=_held(seconds, estimate["seconds"], time))
    if memory is not None:
        _score(memory, inside=memory.inside)
    if whole:
        _learn_overheads(job, measured, estimate)
    BaseModel.objects.filter(pk=job.base_model_id, path="", fetched_at=None).update(
        fetched_at=timezone.now()
    )
    CalibrationRecord.objects.create(
        **_of_job(job),
        outcome=Outcome.COMPLETED,
        measured=measured | {"seconds": seconds, "versions": _versions(attempt)},
        time_residual=time.value if time else None,
        memory_residual=memory.value if memory else None,
    )


def learn_from_lack_of_memory(job: TrainingJob) -> None:
    """Record a run that ran out of memory: a lower bound only."""
    if not job.estimate or not job.estimate["memory_cell"]["available_bytes"]:
        return
    said = job.estimate["memory_cell"]
    believed = _residual(MEMORY, said, 0.0, HALF_WIDTH_OF_80_PERCENT)
    value = censored_residual(
        believed.belief,
        predicted=said["predicted_bytes"],
        available=said["available_bytes"],
    )
    with transaction.atomic():
        if value is not None:
            add_residual(MEMORY, said["cell"], value)
        CalibrationRecord.objects.update_or_create(
            job=job,
            defaults=_of_job(job)
            | {
                "outcome": Outcome.OUT_OF_MEMORY,
                "measured": {"more_than_bytes": said["available_bytes"]},
                "memory_residual": value,
            },
        )


def add_residual(target: str, key: Sequence[str], value: float) -> None:
    """Add a run to a cell."""
    cell, _ = CalibrationCell.objects.get_or_create(
        target=target,
        key=list(key),
        defaults={"count": 0, "total": 0.0, "squares": 0.0},
    )
    CalibrationCell.objects.filter(pk=cell.pk).update(
        count=F("count") + 1, total=F("total") + value, squares=F("squares") + value**2
    )


def peak_bytes(measured: Mapping[str, Any]) -> float | None:
    """Peak memory of the device or process."""
    for name in ("peak_device_bytes", "peak_reserved_bytes", "peak_resident_bytes"):
        if measured.get(name):
            return float(measured[name])
    return None


def _time(measured: Mapping[str, Any], estimate: Mapping[str, Any]) -> Residual | None:
    seconds, said = measured.get("step_seconds_mean"), estimate["time"]
    if not seconds or measured.get("steps", 0) < STEPS_NEEDED:
        return None
    value = log(seconds / said["predicted_step_seconds"])
    return _residual(TIME, said, value, said["multiplier"])


def _memory(
    measured: Mapping[str, Any], estimate: Mapping[str, Any]
) -> Residual | None:
    peak, said = peak_bytes(measured), estimate["memory_cell"]
    if peak is None:
        return None
    value = log(peak / said["predicted_bytes"])
    return _residual(MEMORY, said, value, HALF_WIDTH_OF_80_PERCENT)


def _residual(
    target: str, said: Mapping[str, Any], value: float, half_width: float
) -> Residual:
    name = {TIME: "step_seconds", MEMORY: "bytes"}[target]
    return Residual(
        target=target,
        cell=said["cell"],
        value=value,
        mean=log(said[name] / said[f"predicted_{name}"]),
        sigma=said["sigma"],
        half_width=half_width,
    )


def _held(seconds: float | None, interval: Mapping[str, float], time: Residual) -> bool:
    """Whether the shown interval held; for interrupted runs, that of the steps."""
    if seconds is None:
        return time.inside
    return interval["low"] <= seconds <= interval["high"]


def _score(residual: Residual, *, inside: bool) -> None:
    CalibrationScore.objects.create(
        target=residual.target,
        score=score(residual.belief, residual.value),
        inside=inside,
    )


def _learn_overheads(
    job: TrainingJob, measured: Mapping[str, Any], estimate: Mapping[str, Any]
) -> None:
    found = overhead_residuals(
        measured.get("parts_seconds", {}),
        DurationParts(**estimate["duration_parts_seconds"]),
        Overheads(**estimate["overheads"]),
        Overheads(),
    )
    for part, value in found.items():
        add_residual(part, [job.gpu_type], value)


def _of_job(job: TrainingJob) -> dict[str, Any]:
    """A record's fields about its job, independent of the outcome."""
    counts = counts_of(job.dataset, job.base_model_id)
    limit = int(job.hyperparameters["max_length"])
    lengths = lengths_of(counts, max_length=limit).coarsened()
    return {
        "job": job,
        "kind": Kind.RUN,
        "gpu_type": job.gpu_type,
        "method": str((job.plan or {}).get("method", "lora")),
        "base_model": job.base_model_id,
        "setup": {
            "dimensions": job.base_model.dimensions,
            "hyperparameters": job.hyperparameters,
            "plan": job.plan,
            "gpus": job.gpu_count,
            "lengths": list(zip(lengths.lengths, lengths.counts, strict=True)),
        },
        "predicted": job.estimate or {},
    }


def _versions(attempt: RunAttempt) -> dict[str, str]:
    return dict(attempt.facts.get("versions") or {})
