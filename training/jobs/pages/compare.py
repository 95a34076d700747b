"""Compares up to six jobs: overlaid losses, differing settings, results."""

from collections.abc import Sequence
from dataclasses import dataclass
from math import isfinite
from typing import Any

from training.charts.job_charts import Switches, is_number
from training.charts.line_chart import Chart, Series, line_chart
from training.domain.series import Point, smoothed
from training.domain.setting_labels import SETTINGS
from training.jobs.setting_formats import setting_text
from training.models import MetricPoint, TrainingJob

MOST_JOBS = 6


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One property of every job, and whether they differ in it."""

    label: str
    values: list[str]
    differs: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A job with its final losses and its colour."""

    job: TrainingJob
    place: int
    training_loss: float | None
    validation_loss: float | None
    best_loss: bool = False


def losses_of(jobs: Sequence[TrainingJob]) -> dict[Any, list[tuple[int, Any, Any]]]:
    """(step, loss, validation loss) by job, in one query."""
    found: dict[Any, list[tuple[int, Any, Any]]] = {job.pk: [] for job in jobs}
    points = MetricPoint.objects.filter(job__in=found).order_by("job", "step")
    wanted = ("job", "step", "loss", "validation_loss")
    for job_id, step, loss, validation in points.values_list(*wanted):
        found[job_id].append((step, loss, validation))
    return found


def overlaid(
    jobs: Sequence[TrainingJob],
    losses: dict[Any, list[tuple[int, Any, Any]]],
    switches: Switches,
) -> Chart | None:
    """The training losses of all jobs over a common step axis."""
    series = []
    for place, job in enumerate(jobs, 1):
        points: list[Point] = [(s, v) for s, v, _ in losses[job.pk] if is_number(v)]
        shown = smoothed(points) if switches.smooth else points
        series.append(Series(name=job.name, css=f"line-{place}", points=shown))
    words = "Training losses of " + ", ".join(job.name for job in jobs) + "."
    last = max((job.total_steps for job in jobs), default=1)
    return line_chart(series, last_step=last, words=words, log=switches.log)


def columns_of(
    jobs: Sequence[TrainingJob], losses: dict[Any, list[tuple[int, Any, Any]]]
) -> list[Column]:
    """The jobs with their final losses, the lowest validation loss marked."""
    ends = [
        (
            next((v for _, v, _ in reversed(losses[job.pk]) if v is not None), None),
            next((v for _, _, v in reversed(losses[job.pk]) if v is not None), None),
        )
        for job in jobs
    ]
    known = [v for _, v in ends if v is not None and isfinite(v)]
    best = min(known) if len(known) > 1 else None
    return [
        Column(
            job=job,
            place=place,
            training_loss=training,
            validation_loss=validation,
            best_loss=best is not None and validation == best,
        )
        for place, (job, (training, validation)) in enumerate(
            zip(jobs, ends, strict=True), 1
        )
    ]


def settings_rows(jobs: Sequence[TrainingJob]) -> list[Row]:
    """The settings of each job, for display."""
    rows = [
        _row("Dataset", [j.dataset.name for j in jobs], [j.dataset_id for j in jobs]),
        _row("Base model", [job.base_model.name for job in jobs]),
        _row(
            "Machine",
            [f"{job.gpu_count} \N{MULTIPLICATION SIGN} {job.gpu_type}" for job in jobs],
        ),
    ]
    for name, setting in SETTINGS.items():
        rows.append(_row(setting.label, [_setting(job, name) for job in jobs]))
    return rows


def _setting(job: TrainingJob, name: str) -> str:
    value = job.hyperparameters.get(name, getattr(job, name, None))
    return setting_text(name, value)


def _row(label: str, values: list[str], identities: Sequence[Any] = ()) -> Row:
    return Row(label=label, values=values, differs=len(set(identities or values)) > 1)
