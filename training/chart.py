"""The loss chart, drawn on the server: coordinates for one SVG."""

from collections.abc import Sequence
from dataclasses import dataclass

LEFT, TOP, RIGHT, BOTTOM = 48.0, 12.0, 620.0, 228.0
MOST_POINTS = 500
Point = tuple[int, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """SVG coordinates (viewBox 640 x 260), axis words, the best evaluation."""

    train: str
    validation: str
    dots: list[tuple[str, str, str]]
    rows: list[tuple[str, str]]
    columns: list[tuple[str, int]]
    best: Point | None
    words: str


def loss_chart(
    train: Sequence[Point], validation: Sequence[Point], *, last_step: int
) -> Chart | None:
    """Losses by step as polylines; None while there is nothing to draw.

    At most 500 points are drawn, evenly chosen; the first and last always are.
    """
    if not train and not validation:
        return None
    top = max(loss for _, loss in (*train, *validation)) * 1.05 or 1.0
    last = max(last_step, 1)

    def x(step: float) -> str:
        return f"{LEFT + (RIGHT - LEFT) * step / last:.1f}"

    def y(loss: float) -> str:
        return f"{BOTTOM - (BOTTOM - TOP) * loss / top:.1f}"

    def line(points: Sequence[Point]) -> str:
        return " ".join(f"{x(step)},{y(loss)}" for step, loss in thinned(points))

    quarters = (0.0, 0.25, 0.5, 0.75, 1.0)
    return Chart(
        train=line(train),
        validation=line(validation),
        dots=[(x(step), y(loss), f"{loss:.3f}") for step, loss in validation],
        rows=[(y(top * part), f"{top * part:.2f}") for part in quarters],
        columns=[(x(last * part), round(last * part)) for part in quarters],
        best=min(validation, key=lambda point: point[1], default=None),
        words=_words(train, validation),
    )


def thinned(points: Sequence[Point], most: int = MOST_POINTS) -> list[Point]:
    """Evenly chosen points, with the first and the last."""
    if len(points) <= most:
        return list(points)
    stride = (len(points) - 1) / (most - 1)
    return [points[round(n * stride)] for n in range(most)]


def _words(train: Sequence[Point], validation: Sequence[Point]) -> str:
    parts = []
    if train:
        parts.append(f"Training loss goes from {train[0][1]:.3f} to {train[-1][1]:.3f}")
    if validation:
        parts.append(f"validation loss is {validation[-1][1]:.3f}")
    return ", ".join(parts) + "."
