"""First estimate from the start of a file, made while the upload request runs."""

import logging
from dataclasses import dataclass
from itertools import islice
from time import monotonic
from typing import Any

from django.conf import settings

from datasets.checking.by_hand import format_by_hand
from datasets.checking.samples import sample_of
from datasets.checking.sources import Source, Unreadable, open_source
from datasets.domain.formats.declared import Format
from datasets.domain.formats.rows import RowReader
from datasets.domain.formats.turns import Example, row_bytes
from datasets.domain.parse import Parsed
from datasets.domain.statistics import Measured
from datasets.models import Dataset
from datasets.tokens.base_models import tokenizer_of
from datasets.tokens.measure import batches
from datasets.tokens.renderer import Patience

logger = logging.getLogger(__name__)
MAX_ROWS = 200
MAX_BYTES = 1_000_000
MAX_SECONDS = 2.0
READING_SHARE, RENDERING_SHARE = 0.4, 0.75
BATCH_BYTES = 100_000
SAMPLES = 5
STOPPED = {
    "rows": f"it looks at {MAX_ROWS} rows at most",
    "bytes": f"it reads {MAX_BYTES:,} bytes at most",
    "time": f"it takes {MAX_SECONDS:.0f} seconds at most",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Examples from the start of the file, and a projected total.

    `stopped` names the budget that ended the reading: rows, bytes or time; empty when
    the beginning itself ended.
    """

    format: str
    container: str
    rows: list[Example]
    expected_examples: int | None
    stopped: str = ""


def first_look(dataset: Dataset) -> dict[str, Any]:
    """Estimated fields of a dataset; empty when the first rows are unreadable.

    Never raises: reporting errors in the file is the validation's job. A request waits
    for it, so it has a budget of rows, bytes and seconds.
    """
    began = monotonic()
    try:
        with open_source(dataset.storage_path) as source:
            until = began + READING_SHARE * MAX_SECONDS
            sample = take_sample(source, until, format_by_hand(dataset))
        return _estimate(dataset, sample, began + RENDERING_SHARE * MAX_SECONDS)
    except Unreadable:
        return {}
    except Exception:
        logger.exception("the first look at %s failed", dataset.pk)
        return {}


def take_sample(source: Source, until: float, format: Format | None = None) -> Sample:
    """Rows until one of the budgets is spent; `until` is a time.monotonic()."""
    reader, rows, read_bytes, stopped = RowReader(format), [], 0, ""
    for line, item in source.sample(until):
        if isinstance(item, bytes) and len(item) > MAX_BYTES:
            # As objects, a row takes up to thirty times its size.
            stopped = "bytes"
            break
        rows += reader.read(line, item).examples
        read_bytes += _size(item)
        if stopped := _spent(reader.rows, read_bytes, until):
            break
    stopped = stopped or _spent(0, 0, until)
    expected: int | None = len(rows)
    if source.container.startswith("parquet"):
        expected = None if stopped else len(rows)
    elif stopped or source.head_share < 1:
        share = source.head_share * min(read_bytes / max(len(source.head), 1), 1)
        expected = round(len(rows) / share) if share else None
    return Sample(
        format=reader.format.name if reader.format else "",
        container=source.container,
        rows=rows,
        expected_examples=expected,
        stopped=stopped,
    )


def _size(item: Any) -> int:
    if isinstance(item, Parsed):
        return len(item.raw)
    return len(item) if isinstance(item, bytes) else len(str(item))


def _spent(rows: int, read_bytes: int, until: float) -> str:
    if rows >= MAX_ROWS:
        return "rows"
    if read_bytes >= MAX_BYTES:
        return "bytes"
    return "time" if monotonic() > until else ""


def _estimate(dataset: Dataset, sample: Sample, until: float) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "format": sample.format,
        "container": sample.container,
        "first_look": _words(len(sample.rows), sample.stopped),
    }
    if not sample.rows:
        return fields
    fields["sample_data"] = [
        sample_of(example) for example in islice(sample.rows, SAMPLES)
    ]
    if sample.expected_examples is None:
        return fields
    found = _measured([row_bytes(example) for example in sample.rows], until)
    if len(found) < len(sample.rows):
        fields["first_look"] = _words(len(found), "time")
    if not found:
        return fields
    whole = sample.expected_examples
    held = 0 if dataset.validation_file_path else _held(whole, dataset.validation_share)
    mean = sum(measured.tokens for measured in found) / len(found)
    return fields | {
        "total_training_pairs": whole - held,
        "total_validation_pairs": held,
        "total_tokens": round(mean * (whole - held)),
        "tokens_exact": False,
    }


def _measured(rows: list[bytes], until: float) -> list[Measured]:
    """As many rows, batch by batch, as are counted in time."""
    tokenizer = tokenizer_of(settings.DEFAULT_BASE_MODEL)
    patience = Patience(stops=1, until=until)
    found: list[Measured] = []
    for batch in batches(rows, BATCH_BYTES):
        prepared: list[Any] = tokenizer.prepare_lines(batch, patience)
        if patience.is_over:
            break
        found += tokenizer.measure(prepared)
    return found


def _words(rows: int, stopped: str) -> str:
    """What the first look rests on, for people."""
    looked = f"the first {rows:,} examples" if rows != 1 else "the first example"
    return f"{looked}; {STOPPED[stopped]}" if stopped else looked


def _held(examples: int, share: float) -> int:
    return max(1, round(examples * share)) if examples >= 10 and share else 0
