"""Calibration from finished runs, cached until another run ends."""

from django.db.models import IntegerField, Subquery, Sum, Value
from django.db.models.functions import Coalesce

from training.domain.estimator.calibration import CONFORMAL_WINDOW, Cell
from training.domain.estimator.duration import Overheads
from training.domain.estimator.model_estimate import Knowledge
from training.domain.estimator.overheads import learned
from training.models import CalibrationCell, CalibrationScore

TIME, MEMORY = "time", "memory"
NOTHING_YET = Knowledge()
_kept: dict[int, Knowledge] = {}


def version() -> Coalesce:
    """The number of residuals, as an annotation for any query.

    It grows with every record, in the same transaction, so it identifies a version of
    the calibration without an extra query.
    """
    whole = Value(1, output_field=IntegerField())
    by_none = CalibrationCell.objects.order_by().annotate(whole=whole).values("whole")
    total = by_none.annotate(runs=Sum("count")).values("runs")
    return Coalesce(Subquery(total), 0)


def knowledge(of_version: int) -> Knowledge:
    """Cells and scores of a version; two queries the first time, then cached."""
    if not of_version:
        return NOTHING_YET
    if (known := _kept.get(of_version)) is None:
        known = _read()
        _kept.clear()
        _kept[of_version] = known
    return known


def current() -> Knowledge:
    """The current calibration, for callers without a version."""
    counts = CalibrationCell.objects.values_list("count", flat=True)
    return knowledge(sum(counts))


def forget() -> None:
    """Clear the cache."""
    _kept.clear()


def _read() -> Knowledge:
    cells: dict[str, list[Cell]] = {}
    for row in CalibrationCell.objects.all():
        cells.setdefault(row.target, []).append(row.cell)
    scores = CalibrationScore.objects.filter(target=TIME).order_by("-id")
    latest = scores.values_list("score", flat=True)[:CONFORMAL_WINDOW]
    return Knowledge(
        time_cells=tuple(cells.pop(TIME, ())),
        memory_cells=tuple(cells.pop(MEMORY, ())),
        scores=tuple(reversed(latest)),
        overheads=learned(Overheads(), cells),
    )
