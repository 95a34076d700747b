"""First estimate from the start of a file, made while the upload request runs."""

import logging
from dataclasses import dataclass
from itertools import islice
from time import monotonic
from typing import Any

from django.conf import settings

from datasets.checking.sources import Source, Unreadable, open_source
from datasets.checking.splits import storable
from datasets.domain.rows import RowReader
from datasets.models import Dataset
from datasets.tokens.base_models import tokenizer_of

logger = logging.getLogger(__name__)
MAX_ROWS = 200
MAX_SECONDS = 1.0
SAMPLES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """Examples from the start of the file, and a projected total."""

    format: str
    container: str
    rows: list[dict[str, Any]]
    expected_examples: int | None


def first_look(dataset: Dataset) -> dict[str, Any]:
    """Estimated fields of a dataset; empty when the first rows are unreadable.

    Never raises: reporting errors in the file is the validation's job.
    """
    try:
        with open_source(dataset.storage_path) as source:
            return _estimate(dataset, take_sample(source))
    except Unreadable:
        return {}
    except Exception:
        logger.exception("the first look at %s failed", dataset.pk)
        return {}


def take_sample(source: Source) -> Sample:
    """Up to 200 rows or one second, whichever comes first."""
    reader, rows, read_bytes, ended = RowReader(source.layout.inside), [], 0, True
    until = monotonic() + MAX_SECONDS
    for line, item in source.sample():
        for example in reader.read(line, item)[0]:
            rows.append({"messages": example.messages})
        read_bytes += len(item) if isinstance(item, bytes) else len(str(item))
        if reader.rows >= MAX_ROWS or monotonic() > until:
            ended = False
            break
    expected: int | None = len(rows)
    if source.container.startswith("parquet"):
        expected = len(rows) if ended else None
    elif not ended or source.head_share < 1:
        share = source.head_share * min(read_bytes / max(len(source.head), 1), 1)
        expected = round(len(rows) / share) if share else None
    return Sample(
        format=reader.format.name if reader.format else "",
        container=source.container,
        rows=rows,
        expected_examples=expected,
    )


def _estimate(dataset: Dataset, sample: Sample) -> dict[str, Any]:
    fields: dict[str, Any] = {"format": sample.format, "container": sample.container}
    if not sample.rows:
        return fields
    fields["sample_data"] = [
        {"messages": [storable(m) for m in row["messages"]]}
        for row in islice(sample.rows, SAMPLES)
    ]
    if sample.expected_examples is None:
        return fields
    tokenizer = tokenizer_of(settings.DEFAULT_BASE_MODEL)
    prepared: list[Any] = [tokenizer.prepare(row) for row in sample.rows]
    found = tokenizer.measure(prepared)
    whole = sample.expected_examples
    held = 0 if dataset.validation_file_path else _held(whole, dataset.validation_share)
    mean = sum(measured.tokens for measured in found) / len(found)
    return fields | {
        "total_training_pairs": whole - held,
        "total_validation_pairs": held,
        "total_tokens": round(mean * (whole - held)),
        "tokens_exact": False,
    }


def _held(examples: int, share: float) -> int:
    return max(1, round(examples * share)) if examples >= 10 and share else 0
