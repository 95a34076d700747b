"""What finished runs taught, read once and kept until another one ends."""

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
    """How many residuals there are: a column that any query can carry along.

    It grows with every record, in the record's own transaction, so knowledge of the
    same version is the same; asking for it costs no query of its own.
    """
    whole = Value(1, output_field=IntegerField())
    by_none = CalibrationCell.objects.order_by().annotate(whole=whole).values("whole")
    total = by_none.annotate(runs=Sum("count")).values("runs")
    return Coalesce(Subquery(total), 0)


def knowledge(of_version: int) -> Knowledge:
    """Cells and scores of a version; two queries the first time, none after."""
    if not of_version:
        return NOTHING_YET
    if (known := _kept.get(of_version)) is None:
        known = _read()
        _kept.clear()
        _kept[of_version] = known
    return known


def current() -> Knowledge:
    """What is known now, for those who have no version at hand."""
    counts = CalibrationCell.objects.values_list("count", flat=True)
    return knowledge(sum(counts))


def forget() -> None:
    """Read anew at the next question."""
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
