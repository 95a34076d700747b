"""Data of the cost panel: cost and time intervals, memory against capacity."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlencode

from training.configure.forms import CHOSEN, form_text
from training.domain.config import JobConfig
from training.domain.estimator.estimate import Estimate
from training.domain.estimator.model_estimate import Interval
from training.domain.estimator.priced import cost_interval

VERDICTS = {"fits": "fits", "tight": "tight", "does_not_fit": "does not fit"}
PART_WORDS = {
    "weights": "base model",
    "adapters": "adapter and optimizer",
    "checkpoints": "saved activations",
    "activations": "activations and loss",
    "context": "CUDA context and libraries",
}
DURATION_WORDS = {
    "start": "starting the trainer",
    "prepare_data": "preparing the data",
    "download_model": "downloading the base model",
    "load_model": "loading the base model",
    "first_step": "warming up",
    "training": "training steps",
    "evaluation": "validation",
    "checkpoints": "checkpoints",
    "save": "saving the adapter",
}
CHANGEABLE = frozenset({*CHOSEN, "gpu_type"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Band:
    """An interval as a bar of width 100: start, width and expected value."""

    low: float
    width: float
    expected: float

    @classmethod
    def of(cls, ends: Interval) -> "Band":
        """Scale from 0 to slightly beyond the upper bound."""
        whole = ends.high * 1.1 or 1.0
        low, middle, high = (
            end / whole * 100 for end in (ends.low, ends.expected, ends.high)
        )
        return cls(
            low=round(low, 2), width=round(high - low, 2), expected=round(middle, 2)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Segment:
    """One part of the memory bar, in percent of its width."""

    name: str
    words: str
    gib: float
    start: float
    width: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Panel:
    """Everything the panel draws."""

    cost: Band
    time: Band
    hours: Interval
    segments: tuple[Segment, ...]
    capacity: float | None
    verdict: str
    certainty: int
    change: str
    duration: tuple[tuple[str, float], ...]


def panel_of(estimate: Estimate, answer: Mapping[str, Any]) -> Panel | None:
    """None if there is only the catalogue estimate.

    Drawn from the unrounded figures; `answer` has the rounded ones.
    """
    cost = cost_interval(estimate)
    if cost is None or estimate.aware is None:
        return None
    hours = estimate.aware.hours
    memory = answer["memory"]
    available = memory["available_gib"]
    whole = max(memory["required_gib"], available or 0.0) * 1.02
    parts = answer["duration_parts_seconds"].items()
    return Panel(
        cost=Band.of(cost),
        time=Band.of(hours),
        hours=hours,
        segments=tuple(_segments(memory["parts_gib"], whole)),
        capacity=None if available is None else round(available / whole * 100, 2),
        verdict=VERDICTS[memory["verdict"]],
        certainty=min(round(memory["probability"] * 100), 99),
        change=_change(memory["change"]),
        duration=tuple((DURATION_WORDS[name], seconds) for name, seconds in parts),
    )


def _segments(parts: Mapping[str, float], whole: float) -> list[Segment]:
    found, start = [], 0.0
    for name, gib in parts.items():
        width = gib / whole * 100
        found.append(
            Segment(
                name=name,
                words=PART_WORDS[name],
                gib=gib,
                start=round(start, 2),
                width=round(width, 2),
            )
        )
        start += width
    return found


def _change(change: Mapping[str, Any] | None) -> str:
    """The changed controls as a query string, for the button that applies them."""
    if change is None:
        return ""
    values = {n: form_text(n, v) for n, v in change["hyperparameters"].items()}
    moved = {"gpu_type": change["gpu_type"]} if change["gpu_type"] else {}
    return urlencode(values | moved)


def changed_values(query: str) -> dict[str, str]:
    """The changes requested by the button; unknown names are ignored."""
    pairs = parse_qsl(query, keep_blank_values=True)
    return {name: value for name, value in pairs if name in CHANGEABLE}


def plan_words(answer: Mapping[str, Any], config: JobConfig) -> str:
    """What "automatic" resolves to for this job, in one sentence."""
    plan = answer.get("plan")
    if plan is None:
        return "The trainer chooses the micro-batch and gradient checkpointing."
    method = "QLoRA" if plan["method"] == "qlora" else "LoRA"
    checkpointing = "with" if plan["gradient_checkpointing"] else "without"
    rows = "rows" if plan["packing"] else "sequences"
    return (
        f"For this job: {method} {checkpointing} gradient checkpointing; each step of "
        f"{config.hyperparameters.batch_size} {rows} is {plan['micro_batch']} at once "
        f"x {plan['gradient_accumulation']} accumulated x {plan['processes']} GPU"
        f"{'' if plan['processes'] == 1 else 's'}."
    )
