"""Template context of a dataset's pages, from rows and files."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import QueryDict

from datasets.domain.fault_kinds import KINDS
from datasets.domain.lengths import MAX_LENGTH
from datasets.domain.statistics import Signal
from datasets.models import Dataset, DatasetStatistics
from datasets.pages.forms import LookForm
from datasets.tokens.preflight import Preflight, preflight

STAGES = {
    "": "Queued",
    "structure": "Reading every row",
    "splits": "Writing the normalised splits",
    "tokens": "Counting tokens",
}
CHART_WIDTH, CHART_HEIGHT = 640, 140


@dataclass(frozen=True, slots=True, kw_only=True)
class FaultCount:
    """A kind of error or warning with its count."""

    title: str
    advice: str
    count: int
    error: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """A bar of the length chart, in chart units."""

    x: float
    y: float
    width: float
    height: float
    words: str
    beyond: bool


def first_look_values() -> dict[str, Any]:
    """Initial values of the preflight form."""
    return {
        "example": 1,
        "split": "train",
        "max_length": int(MAX_LENGTH.default),
        "base_model": settings.DEFAULT_BASE_MODEL,
    }


def detail_context(dataset: Dataset, asked: QueryDict) -> dict[str, Any]:
    """Context of a dataset's page."""
    found: dict[str, Any] = {
        "dataset": dataset,
        "section": "datasets",
        "stage": STAGES.get(dataset.stage, ""),
        "faults": fault_counts(dataset),
    }
    if dataset.status == Dataset.Status.READY:
        found |= look_context(dataset, asked)
    return found


def look_context(dataset: Dataset, asked: QueryDict) -> dict[str, Any]:
    """The training signal of all examples and of the selected one."""
    values = first_look_values()
    values |= {name: asked[name] for name in values if asked.get(name)}
    form = LookForm(values)
    shares = dataset.measuring.items()
    found: dict[str, Any] = {
        "look": form,
        "measuring": [(model, round(100 * share)) for model, share in shares],
    }
    if not form.is_valid():
        return found
    chosen = form.cleaned_data
    rows = {row.base_model: row for row in dataset.statistics.all()}
    row = rows.get(chosen["base_model"])
    found |= {"statistics": row, "all_statistics": list(rows.values())}
    if row is not None:
        found |= statistics_context(row, chosen["max_length"])
    total = row.examples if row else dataset.total_training_pairs or 0
    if chosen["split"] == "validation":
        total = dataset.total_validation_pairs or 0
    return found | look_at(dataset, chosen, total)


def look_at(dataset: Dataset, chosen: dict[str, Any], total: int) -> dict[str, Any]:
    """The selected example and its neighbours."""
    seen = _preflight(dataset, chosen)
    example = chosen["example"]
    return {
        "preflight": seen,
        "examples_total": total,
        "before": example - 1 if example > 1 else None,
        "after": example + 1 if example < total else None,
    }


def _preflight(dataset: Dataset, chosen: dict[str, Any]) -> Preflight:
    try:
        return preflight(dataset, **chosen)
    except FileNotFoundError:
        missing = (
            "The normalised file has been removed. Create a new version of the dataset."
        )
        return Preflight(**chosen, missing=missing)


def statistics_context(row: DatasetStatistics, max_length: int) -> dict[str, Any]:
    """Percentiles, length chart and training signal from a base model's statistics."""
    lengths = row.length_histogram
    found: Signal = row.signal(max_length)
    return {
        "signal": found,
        "signal_warnings": list(row.counts.said_at(max_length)),
        "p50": lengths.quantile(0.5),
        "p95": lengths.quantile(0.95),
        "longest": lengths.maximum,
        "share_cut": 100 * found.cut / max(found.examples, 1),
        "share_supervised": 100 * row.supervised_tokens / max(row.tokens, 1),
        "bars": bars(row, max_length),
        "chart": (CHART_WIDTH, CHART_HEIGHT),
    }


def bars(row: DatasetStatistics, max_length: int) -> list[Bar]:
    """The length histogram as bars; those beyond max_length are marked."""
    found = row.length_histogram.bars()
    highest = max((count for _, _, count in found), default=0) or 1
    step = CHART_WIDTH / max(len(found), 1)
    return [
        Bar(
            x=round(n * step + 1, 1),
            y=round(CHART_HEIGHT - CHART_HEIGHT * count / highest, 1),
            width=round(step - 2, 1),
            height=round(CHART_HEIGHT * count / highest, 1),
            words=f"{start:,} to {end:,} tokens: {count:,} examples",
            beyond=end > max_length,
        )
        for n, (start, end, count) in enumerate(found)
    ]


def fault_counts(dataset: Dataset) -> list[FaultCount]:
    """Every kind found, errors first, most frequent first."""
    known = ((KINDS[k], n) for k, n in dataset.fault_counts.items() if k in KINDS)
    found = [
        FaultCount(title=k.title, advice=k.advice, count=n, error=k.error)
        for k, n in known
    ]
    return sorted(found, key=lambda f: (not f.error, -f.count))
