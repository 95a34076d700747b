"""A job's metrics as charts and as rows."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from math import isfinite, isnan
from typing import Any
from urllib.parse import urlencode

from training.charts.line_chart import Chart, Series, line_chart
from training.domain.series import Point, downsample, smoothed
from training.domain.setting_labels import SETTINGS
from training.models import MetricPoint, TrainingJob

COLUMNS = (
    "step",
    "epoch",
    "loss",
    "validation_loss",
    "learning_rate",
    "grad_norm",
    "tokens_per_second",
    "tokens_seen",
    "step_seconds",
    "gpu_use",
    "gpu_memory_bytes",
    "at",
)
SMALL_CHARTS = {
    "learning_rate": SETTINGS["learning_rate"].label,
    "grad_norm": "Gradient norm",
    "tokens_per_second": "Tokens/s",
    "gpu_use": "GPU use, %",
    "gpu_memory_bytes": "GPU memory, GB",
}
SCALE = {"gpu_memory_bytes": 1e-9}
SMALL_POINTS = 152
MOST_NAMED = 10
FLOATS = (
    "loss",
    "validation_loss",
    "learning_rate",
    "grad_norm",
    "tokens_per_second",
    "step_seconds",
    "gpu_use",
)
DRAWN = ("step", "loss", "validation_loss", *SMALL_CHARTS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Switches:
    """Loss chart options from the URL."""

    log: bool = False
    smooth: bool = False

    @property
    def query(self) -> str:
        """The options as a query string."""
        return self._as_query(self.log, self.smooth)

    @property
    def query_other_scale(self) -> str:
        return self._as_query(not self.log, self.smooth)

    @property
    def query_other_smoothing(self) -> str:
        return self._as_query(self.log, not self.smooth)

    @staticmethod
    def _as_query(log: bool, smooth: bool) -> str:
        return urlencode([(k, 1) for k, on in (("log", log), ("smooth", smooth)) if on])


def switches_in(given: Mapping[str, str]) -> Switches:
    """The options of a URL; anything but 1 is off."""
    return Switches(log=given.get("log") == "1", smooth=given.get("smooth") == "1")


@dataclass(frozen=True, slots=True, kw_only=True)
class JobCharts:
    """The loss, the other metrics by title, and the best evaluation; besides, in
    words, the steps whose loss is no number and cannot be drawn.
    """

    loss: Chart | None
    small: list[tuple[str, Chart]]
    best: Point | None
    not_numbers: str


def charts_of(job: TrainingJob, switches: Switches) -> JobCharts:
    """All charts of a job, in one query."""
    rows = list(job.metrics.values_list(*DRAWN))
    columns: dict[str, list[Point]] = {
        name: [(row[0], row[place]) for row in rows if is_number(row[place])]
        for place, name in enumerate(DRAWN)
        if place
    }
    train, validation = columns["loss"], columns["validation_loss"]
    return JobCharts(
        loss=line_chart(
            loss_series(train, validation, smooth=switches.smooth),
            last_step=job.total_steps,
            words=_words(train, validation),
            log=switches.log,
        ),
        small=list(_small_charts(job, columns)),
        best=min(validation, key=lambda point: point[1], default=None),
        not_numbers=_not_numbers(rows),
    )


def is_number(value: float | None) -> bool:
    """Whether something was measured that can be drawn and compared."""
    return value is not None and isfinite(value)


def _not_numbers(rows: Sequence[tuple[Any, ...]]) -> str:
    """The steps whose training loss was NaN or infinite, in a sentence."""
    steps = [row[0] for row in rows if row[1] is not None and not isfinite(row[1])]
    if not steps:
        return ""
    named = ", ".join(str(step) for step in steps[:MOST_NAMED])
    more = len(steps) - MOST_NAMED
    rest = f" and {more} more" if more > 0 else ""
    plural = "s" if len(steps) > 1 else ""
    return f"The loss was not a number at step{plural} {named}{rest}."


def loss_series(
    train: Sequence[Point], validation: Sequence[Point], *, smooth: bool
) -> list[Series]:
    """Training and validation loss; smoothed, with the raw values behind."""
    measured = Series(name="Training", css="train", points=train)
    found = [measured]
    if smooth:
        behind = Series(name="Training, raw", css="train faint", points=train)
        found = [behind, Series(name="Training", css="train", points=smoothed(train))]
    held_out = Series(name="Validation", css="validation", points=validation, dots=True)
    return [*found, held_out]


def _small_charts(
    job: TrainingJob, columns: Mapping[str, Sequence[Point]]
) -> Iterator[tuple[str, Chart]]:
    for name, title in SMALL_CHARTS.items():
        scale = SCALE.get(name, 1.0)
        points = [(step, value * scale) for step, value in columns[name]]
        if not points:
            continue
        series = Series(name=title, css="train", points=points)
        words = f"{title}: from {points[0][1]:.3g} to {points[-1][1]:.3g}."
        chart = line_chart(
            [series], last_step=job.total_steps, words=words, most=SMALL_POINTS
        )
        if chart is not None:
            yield title, chart


def _words(train: Sequence[Point], validation: Sequence[Point]) -> str:
    parts = []
    if train:
        parts.append(f"Training loss goes from {train[0][1]:.3f} to {train[-1][1]:.3f}")
    if validation:
        step, best = min(validation, key=lambda point: point[1])
        parts.append(f"validation loss is {validation[-1][1]:.3f}")
        parts.append(f"best {best:.3f} at step {step}")
    return ", ".join(parts) + "."


def metric_rows(job: TrainingJob, most: int | None = None) -> list[dict[str, Any]]:
    """The rows in order, thinned to `most` if given, keeping peaks of the loss.

    For JSON, which knows no NaN: such a value is None, and `not_finite` says by its
    name what it was.
    """
    rows: list[dict[str, Any]] = [_sayable(r) for r in job.metrics.values(*COLUMNS)]
    if most is None or len(rows) <= most:
        return rows
    losses = [(place, row["loss"] or 0.0) for place, row in enumerate(rows)]
    return [rows[place] for place, _ in downsample(losses, most)]


def _sayable(row: dict[str, Any]) -> dict[str, Any]:
    odd = {
        name: json_word(value)
        for name in FLOATS
        if (value := row[name]) is not None and not isfinite(value)
    }
    return row | dict.fromkeys(odd) | {"not_finite": odd}


def json_word(value: float) -> str:
    """NaN and the infinities as JavaScript and the run protocol write them."""
    if isnan(value):
        return "NaN"
    return "Infinity" if value > 0 else "-Infinity"


def table(job: TrainingJob) -> Iterator[tuple[object, ...]]:
    """The rows of the CSV, under COLUMNS, oldest first."""
    points = MetricPoint.objects.filter(job=job).order_by("step")
    for row in points.values_list(*COLUMNS).iterator(chunk_size=1000):
        yield (*row[:-1], row[-1].isoformat())
