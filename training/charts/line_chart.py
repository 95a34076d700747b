"""Server-rendered line charts: coordinates for one SVG."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log10

from training.domain.series import Point, downsample

LEFT, TOP, RIGHT, BOTTOM = 48.0, 12.0, 620.0, 228.0
MOST_POINTS = 500
QUARTERS = (0.0, 0.25, 0.5, 0.75, 1.0)
MOST_DECADES = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Series:
    """A named series; `css` is its class, `dots` marks each point."""

    name: str
    css: str
    points: Sequence[Point]
    dots: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """A polyline; its dots are (x, y, words, whether it is the lowest)."""

    name: str
    css: str
    points: str
    dots: list[tuple[str, str, str, bool]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """SVG coordinates (viewBox 640 x 260) and axis labels."""

    lines: list[Line]
    rows: list[tuple[str, str]]
    columns: list[tuple[str, int]]
    words: str


def line_chart(
    series: Sequence[Series],
    *,
    last_step: int,
    words: str,
    log: bool = False,
    most: int = MOST_POINTS,
) -> Chart | None:
    """Series by step over a common axis; None if there is nothing to draw.

    The axis starts at 0; on a log scale at the lowest positive value, leaving out the
    rest. Longer series are thinned to `most` points, keeping peaks.
    """
    shown = [_positive(one) if log else one for one in series]
    values = [value for one in shown for _, value in one.points]
    if not values:
        return None
    last = max(last_step, 1)
    height, ticks = _log_axis(values) if log else _plain_axis(values)

    def x(step: float) -> str:
        return f"{LEFT + (RIGHT - LEFT) * step / last:.1f}"

    def y(value: float) -> str:
        return f"{BOTTOM - (BOTTOM - TOP) * height(value):.1f}"

    return Chart(
        lines=[_line(one, x, y, most) for one in shown if one.points],
        rows=[(y(value), short(value)) for value in ticks],
        columns=[(x(last * part), round(last * part)) for part in QUARTERS],
        words=words,
    )


def short(value: float) -> str:
    """A short number for an axis.

    >>> [short(v) for v in (0, 0.00005, 0.756, 12.5, 3780, 2_000_000)]
    ['0', '5e-5', '0.756', '12.5', '3.78k', '2M']
    """
    if value and abs(value) < 0.001:
        return f"{value:.1e}".replace(".0e", "e").replace("e-0", "e-")
    for unit, letter in ((1e9, "G"), (1e6, "M"), (1e3, "k")):
        if abs(value) >= unit:
            return f"{value / unit:.3g}{letter}"
    return f"{value:.3g}"


def _positive(one: Series) -> Series:
    points = [point for point in one.points if point[1] > 0]
    return Series(name=one.name, css=one.css, points=points, dots=one.dots)


def _line(
    one: Series, x: Callable[[float], str], y: Callable[[float], str], most: int
) -> Line:
    kept = downsample(one.points, most)
    lowest = min(one.points, key=lambda point: point[1])
    return Line(
        name=one.name,
        css=one.css,
        points=" ".join(f"{x(step)},{y(value)}" for step, value in kept),
        dots=[
            (x(step), y(value), f"{value:.3f} at step {step}", (step, value) == lowest)
            for step, value in (kept if one.dots else ())
        ],
    )


def _plain_axis(
    values: Sequence[float],
) -> tuple[Callable[[float], float], list[float]]:
    """Maps values to heights from 0 (bottom) to 1 (top), and gives the grid values."""
    top = max(values) * 1.05 or 1.0
    return lambda value: value / top, [top * part for part in QUARTERS]


def _log_axis(
    values: Sequence[float],
) -> tuple[Callable[[float], float], list[float]]:
    top = log10(max(values) * 1.05)
    bottom = max(log10(min(values)), top - MOST_DECADES)
    reach = top - bottom or 1.0
    ticks = [10 ** (bottom + reach * part) for part in QUARTERS]
    return lambda value: max((log10(value) - bottom) / reach, 0.0), ticks
