"""Mapping a file's columns by hand: its columns, our guess, the first example."""

from dataclasses import dataclass, field
from itertools import islice
from time import monotonic
from typing import Any

import msgspec

from datasets.checking.samples import sample_of
from datasets.checking.sources import Unreadable, open_source
from datasets.domain.by_hand import (
    MOST_COLUMNS,
    find_problem,
    guess,
    mapped,
)
from datasets.domain.faults import clean
from datasets.domain.formats.declared import Format
from datasets.domain.formats.rows import read_row, unwrapped
from datasets.domain.parse import Parsed, parse
from datasets.models import Dataset

SHOWN_ROWS, SHOWN_CHARACTERS = 3, 200
MOST_SECONDS = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    """A column with its first values, shortened."""

    name: str
    values: list[str]
    part: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Preview:
    """What a mapping makes of a file's first row; `problem` says why nothing."""

    columns: list[Column]
    mapping: dict[str, str]
    problem: str = ""
    example: dict[str, Any] | None = None
    faults: list[dict[str, Any]] = field(default_factory=list)
    unused: list[str] = field(default_factory=list)


def format_by_hand(dataset: Dataset) -> Format | None:
    """The format of the dataset's mapping; None where it is detected."""
    return mapped(dataset.mapping) if dataset.mapping else None


def preview(dataset: Dataset, mapping: dict[str, str] | None = None) -> Preview:
    """The file's columns, and its first example by a mapping.

    The mapping given, else the dataset's own, else our guess.
    """
    rows = first_rows(dataset)
    chosen = mapping or dataset.mapping or guess(rows)
    names = list(dict.fromkeys(name for row in rows for name in row))[:MOST_COLUMNS]
    columns = [
        Column(
            name=name,
            values=[_shown(row.get(name)) for row in rows],
            part=chosen.get(name, "ignore"),
        )
        for name in names
    ]
    problem = find_problem(chosen)
    if problem or not rows:
        words = problem or "No row with columns could be read from the file."
        return Preview(columns=columns, mapping=chosen, problem=words)
    read = read_row(1, rows[0], mapped(chosen), chosen_only=dataset.chosen_only)
    return Preview(
        columns=columns,
        mapping=chosen,
        example=sample_of(read.examples[0]) if read.examples else None,
        faults=[fault.as_dict() for fault in read.faults],
        unused=[clean(name) for name in read.unused],
    )


def first_rows(dataset: Dataset) -> list[dict[str, Any]]:
    """The first rows of a dataset's file that are objects."""
    if not dataset.storage_path:
        return []
    try:
        with open_source(dataset.storage_path) as source:
            items = (item for _, item in source.sample(monotonic() + MOST_SECONDS))
            rows = (row for item in items if (row := _row(item)) is not None)
            return list(islice(rows, SHOWN_ROWS))
    except (Unreadable, FileNotFoundError):
        return []


def _row(item: Any) -> dict[str, Any] | None:
    parsed = parse(1, item) if isinstance(item, bytes) else item
    value = unwrapped(parsed.value if isinstance(parsed, Parsed) else parsed)
    return value if isinstance(value, dict) and value else None


def _shown(value: Any) -> str:
    if value is None:
        return ""
    try:
        text = value if isinstance(value, str) else msgspec.json.encode(value).decode()
    except (UnicodeError, ValueError):
        text = str(value)
    text = clean(text)
    whole = len(text) <= SHOWN_CHARACTERS
    return text if whole else f"{text[:SHOWN_CHARACTERS]}…"
