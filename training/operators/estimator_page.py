"""The estimator page for operators: predicted vs. actual, coverage, gaps."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from math import exp, log10
from typing import Any

from django.contrib.admin.views.decorators import staff_member_required
from django.contrib.auth.decorators import permission_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.views.decorators.http import require_GET

from training.domain.estimator.calibration import COVERAGE
from training.domain.method import METHODS
from training.estimates.calibration import MEMORY, TIME
from training.models import (
    BaseModel,
    CalibrationCell,
    CalibrationRecord,
    CalibrationScore,
    GpuType,
)

SHOWN, WINDOW, POINTS = 50, 100, 24


@require_GET
@staff_member_required
@permission_required("training.view_calibrationrecord", raise_exception=True)
def estimator(request: HttpRequest) -> HttpResponse:
    """Accuracy of past estimates, and combinations without evidence."""
    records = list(CalibrationRecord.objects.select_related("job")[:SHOWN])
    rows = [row_of(record) for record in records]
    cells = list(CalibrationCell.objects.filter(target=TIME))
    found = {
        "section": "operators",
        "rows": rows,
        "dots": scatter(rows),
        "coverage": [_coverage(target) for target in (TIME, MEMORY)],
        "promised": round(100 * COVERAGE),
        "gaps": gaps(cells),
        "probes": sum(r.kind == CalibrationRecord.Kind.PROBE for r in records),
    }
    return render(request, "training/estimator.html", found)


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One record as ratios: 1.10 is 10 % above the prediction, None is unknown."""

    record: CalibrationRecord
    said_seconds: float | None
    took_seconds: float | None
    step_ratio: float | None
    memory_ratio: float | None
    inside: bool | None


def row_of(record: CalibrationRecord) -> Row:
    """Measured over the calibrated prediction, not the bare physical model."""
    predicted, measured = record.predicted, record.measured
    said = predicted.get("seconds")
    took = measured.get("seconds")
    inside = None if not said or took is None else said["low"] <= took <= said["high"]
    return Row(
        record=record,
        said_seconds=said["expected"] if said else None,
        took_seconds=took,
        step_ratio=_ratio(record.time_residual, predicted.get("time"), "step_seconds"),
        memory_ratio=_ratio(
            record.memory_residual, predicted.get("memory_cell"), "bytes"
        ),
        inside=inside,
    )


def _ratio(
    residual: float | None, said: dict[str, Any] | None, name: str
) -> float | None:
    if residual is None:
        return None
    moved = said[name] / said[f"predicted_{name}"] if said else 1.0
    return exp(residual) / moved


def scatter(rows: Iterable[Row]) -> list[dict[str, float]]:
    """Predicted and actual on log axes of 0 to 100, from one second to 12 days."""
    return [
        {"x": _place(row.said_seconds), "y": 100 - _place(row.took_seconds)}
        for row in rows
        if row.said_seconds and row.took_seconds
    ]


def _place(seconds: float) -> float:
    return round(min(max(log10(seconds) / 6 * 100, 0), 100), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Coverage:
    """Coverage of the latest intervals, and over time as a line."""

    target: str
    count: int
    percent: int | None
    line: str


def _coverage(target: str) -> Coverage:
    latest = CalibrationScore.objects.filter(target=target).order_by("-id")
    held = list(latest.values_list("inside", flat=True)[: WINDOW * 2])[::-1]
    return coverage_of(target, held)


def coverage_of(target: str, held: Sequence[bool]) -> Coverage:
    """The share of the last 100 that held, and its course over time."""
    recent = held[-WINDOW:]
    shares = [_share(held[max(n - WINDOW, 0) : n]) for n in range(1, len(held) + 1)]
    every = max(len(shares) // POINTS, 1)
    drawn = shares[::-every][::-1]
    step = 100 / max(len(drawn) - 1, 1)
    points = (f"{n * step:.1f},{100 - share:.1f}" for n, share in enumerate(drawn))
    return Coverage(
        target=target,
        count=len(recent),
        percent=round(_share(recent)) if recent else None,
        line=" ".join(points),
    )


def _share(held: Sequence[bool]) -> float:
    return 100 * sum(held) / max(len(held), 1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Evidence for one GPU type and method: runs, and models without any."""

    gpu_type: str
    method: str
    runs: int
    models: int
    without: int


def gaps(cells: Sequence[CalibrationCell]) -> list[Gap]:
    """Every enabled type and method, those without evidence first."""
    names = list(GpuType.objects.enabled().values_list("name", flat=True))
    known = BaseModel.objects.enabled().exclude(dimensions={}).count()
    found = [_gap(name, method, cells, known) for name in names for method in METHODS]
    return sorted(found, key=lambda gap: (gap.runs > 0, gap.gpu_type, gap.method))


def _gap(name: str, method: str, cells: Sequence[CalibrationCell], known: int) -> Gap:
    own = [cell for cell in cells if cell.key[0] == name and cell.key[2] == method]
    models = {cell.key[3] for cell in own}
    return Gap(
        gpu_type=name,
        method=method,
        runs=sum(cell.count for cell in own),
        models=len(models),
        without=max(known - len(models), 0),
    )
