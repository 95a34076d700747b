"""Token statistics of a split: a pipeline of rendering and tokenizing."""

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, replace
from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import timezone

from datasets.domain.statistics import Measured, Statistics
from datasets.models import Dataset, DatasetStatistics
from datasets.tokens.base_models import AnyTokenizer, tokenizer_of
from datasets.tokens.renderer import Patience

BATCH_ROWS = 256
BATCH_BYTES = 512 * 1024


class OutOfTime(Exception):
    """Counting takes longer than its caller can wait."""


def measure_dataset(
    dataset: Dataset,
    base_model: str,
    *,
    turns: int,
    tell: Callable[[float], Any] = lambda share: None,
    patience: Patience | None = None,
) -> DatasetStatistics:
    """Count the train split with a base model's tokenizer; replaces earlier counts.

    Raises OutOfTime, and stores nothing, where the caller's patience ends before.
    """
    tokenizer = tokenizer_of(base_model)
    sums, patience = Statistics(), patience or Patience()
    with default_storage.open(dataset.split_path("train")) as rows:
        for read, found in measured(rows, tokenizer, patience):
            for measured_row in found:
                sums.add(measured_row)
            tell(read / max(rows.size, 1))
            if time.monotonic() > patience.until:
                raise OutOfTime
    row, _ = DatasetStatistics.objects.update_or_create(
        dataset=dataset,
        base_model=base_model,
        defaults=sums.dump()
        | {
            "examples": sums.lengths.total(),
            "turns": turns,
            "exact": tokenizer.exact,
            "model_facts": _facts(tokenizer, sums),
            "measured_at": timezone.now(),
        },
    )
    return row


def _facts(tokenizer: AnyTokenizer, sums: Statistics) -> dict[str, Any]:
    """What the model's folder says, with the highest token of this split."""
    if tokenizer.facts is None:
        return {}
    return asdict(replace(tokenizer.facts, highest_token=sums.highest_token))


def measure_again(
    dataset_id: str, base_model: str, patience: Patience | None = None
) -> None:
    """Count a ready dataset for another base model, or the default one again.

    Without patience it takes its time and tells how far it is.
    """
    dataset = Dataset.objects.filter(pk=dataset_id, deleted_at=None).first()
    if dataset is None or dataset.status != Dataset.Status.READY:
        return
    known = dataset.statistics.of_model(settings.DEFAULT_BASE_MODEL)
    row = measure_dataset(
        dataset,
        base_model,
        turns=known.turns if known else 0,
        tell=lambda share: None if patience else _tell(dataset, base_model, share),
        patience=patience,
    )
    Dataset.objects.filter(pk=dataset.pk).exclude(measuring={}).update(measuring={})
    if base_model == settings.DEFAULT_BASE_MODEL:
        trainable = row.examples - row.never_learned
        Dataset.objects.filter(pk=dataset.pk).update(
            total_training_pairs=trainable,
            total_tokens=row.tokens,
            label_starts=row.label_starts,
            tokens_exact=row.exact,
            training_ready=trainable > 0,
            avg_tokens_per_turn=row.tokens / max(row.turns, 1),
        )


def _tell(dataset: Dataset, base_model: str, share: float) -> None:
    """Note how far the counting is, in steps of a hundredth."""
    now = {base_model: round(min(share, 0.99), 2)}
    if dataset.measuring != now:
        dataset.measuring = now
        dataset.save(update_fields=["measuring", "updated_at"])


def measured(
    rows: Iterable[bytes], tokenizer: AnyTokenizer, patience: Patience | None = None
) -> Iterator[tuple[int, list[Measured]]]:
    """Yields per batch the bytes read so far and each row's counts.

    Three batches are in flight at a time: one being rendered, one tokenized (which
    releases the GIL), and one counted.
    """
    prepare: Callable[[list[bytes], Patience], list[Any]] = tokenizer.prepare_lines
    waits = patience or Patience()
    encode: Callable[[Any], Any] = tokenizer.encode
    count: Callable[[Any, Any], list[Measured]] = tokenizer.count

    def prepared(lines: list[bytes]) -> list[Any]:
        return prepare(lines, waits)

    def encoded(batch: Future[list[Any]]) -> tuple[list[Any], Any]:
        return batch.result(), encode(batch.result())

    read = 0
    with ThreadPoolExecutor(1) as renderer, ThreadPoolExecutor(1) as encoder:
        waiting: deque[tuple[int, Future[tuple[list[Any], Any]]]] = deque()
        for lines in batches(rows):
            batch = renderer.submit(prepared, lines)
            size = sum(map(len, lines))
            waiting.append((size, encoder.submit(encoded, batch)))
            if len(waiting) > 2:
                size, future = waiting.popleft()
                read += size
                yield read, count(*future.result())
        for size, future in waiting:
            read += size
            yield read, count(*future.result())


def batches(
    rows: Iterable[bytes], most_bytes: int = BATCH_BYTES
) -> Iterator[list[bytes]]:
    """Up to 256 rows at a time, fewer when they are long."""
    lines: list[bytes] = []
    size = 0
    for row in rows:
        lines.append(row)
        size += len(row)
        if len(lines) >= BATCH_ROWS or size >= most_bytes:
            yield lines
            lines, size = [], 0
    if lines:
        yield lines
