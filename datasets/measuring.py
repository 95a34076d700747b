"""Tokens of a split by a base model: a pipeline of preparing and tokenizing."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings
from django.core.files.storage import default_storage
from django.utils import timezone
from procrastinate.exceptions import AlreadyEnqueued

from datasets.domain.statistics import Measured, Statistics
from datasets.models import Dataset, DatasetStatistics
from datasets.tokens import EstimatedTokenizer, ModelTokenizer, tokenizer_in
from lora_pipeline.envelope import Refusal

BATCH_ROWS = 256
BATCH_BYTES = 512 * 1024
_decode = msgspec.json.Decoder().decode
AnyTokenizer = ModelTokenizer | EstimatedTokenizer


def measure_dataset(
    dataset: Dataset,
    base_model: str,
    *,
    turns: int,
    tell: Callable[[float], Any] = lambda share: None,
) -> DatasetStatistics:
    """Measure the train split with a base model's tokenizer; replaces an older row."""
    tokenizer = tokenizer_of(base_model)
    sums = Statistics()
    with default_storage.open(dataset.split_path("train")) as rows:
        for read, found in measured(rows, tokenizer):
            for measured_row in found:
                sums.add(measured_row)
            tell(read / max(rows.size, 1))
    row, _ = DatasetStatistics.objects.update_or_create(
        dataset=dataset,
        base_model=base_model,
        defaults=sums.dump()
        | {
            "examples": sums.lengths.total(),
            "turns": turns,
            "exact": tokenizer.exact,
            "measured_at": timezone.now(),
        },
    )
    return row


def measure_again(dataset_id: str, base_model: str) -> None:
    """Statistics of a ready dataset by one more base model, or the default anew."""
    dataset = Dataset.objects.filter(pk=dataset_id, deleted_at=None).first()
    if dataset is None or dataset.status != Dataset.Status.READY:
        return
    known = dataset.statistics.of_model(settings.DEFAULT_BASE_MODEL)
    row = measure_dataset(dataset, base_model, turns=known.turns if known else 0)
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


def queue_measuring(*, dataset: Dataset, base_model: str) -> None:
    """Have a ready dataset measured by a base model of the catalogue."""
    from datasets.tasks import measure_dataset as task
    from training.models import BaseModel

    if not BaseModel.objects.enabled().filter(pk=base_model).exists():
        known = ", ".join(BaseModel.objects.enabled().values_list("id", flat=True))
        words = f"Received {base_model!r}; choose one of: {known}."
        raise Refusal(words, code="invalid", details={"base_model": [words]})
    if dataset.status != Dataset.Status.READY:
        words = f"The dataset cannot be measured: its status is {dataset.status}."
        raise Refusal(words, status_code=409, code="dataset_not_ready")
    with suppress(AlreadyEnqueued):
        task.configure(queueing_lock=f"measure {dataset.pk} {base_model}").defer(
            dataset_id=str(dataset.pk), base_model=base_model
        )


def measured(
    rows: Iterable[bytes], tokenizer: AnyTokenizer
) -> Iterator[tuple[int, list[Measured]]]:
    """Batch by batch: bytes read so far, and what each row measures.

    Three batches are under way at a time: one is rendered, one tokenized, which needs
    no interpreter lock, and one counted.
    """
    prepare: Callable[[Any], Any] = tokenizer.prepare
    encode: Callable[[Any], Any] = tokenizer.encode
    count: Callable[[Any, Any], list[Measured]] = tokenizer.count

    def prepared(lines: list[bytes]) -> list[Any]:
        return [prepare(_decode(line)) for line in lines]

    def encoded(batch: Future[list[Any]]) -> tuple[list[Any], Any]:
        return batch.result(), encode(batch.result())

    read = 0
    with ThreadPoolExecutor(1) as renderer, ThreadPoolExecutor(1) as encoder:
        waiting: deque[tuple[int, Future[tuple[list[Any], Any]]]] = deque()
        for lines in _batches(rows):
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


def _batches(rows: Iterable[bytes]) -> Iterator[list[bytes]]:
    """Up to 256 rows at a time, fewer when they are long."""
    lines: list[bytes] = []
    size = 0
    for row in rows:
        lines.append(row)
        size += len(row)
        if len(lines) >= BATCH_ROWS or size >= BATCH_BYTES:
            yield lines
            lines, size = [], 0
    if lines:
        yield lines


def tokenizer_of(base_model: str) -> AnyTokenizer:
    """The tokenizer of a base model of the catalogue, or the estimate."""
    return tokenizer_in(model_folder(base_model))


def model_folder(base_model: str) -> Path | None:
    """Where a base model's tokenizer lies: its own folder, or the hub's cache here."""
    from training.models import BaseModel

    model = BaseModel.objects.filter(pk=base_model).first()
    if model is None:
        return None
    if model.path:
        return Path(model.path)
    return _cached(model.pk, model.revision or None)


def _cached(name: str, revision: str | None) -> Path | None:
    """The folder of the hub's cache, if a run has fetched the model before."""
    from huggingface_hub import try_to_load_from_cache
    from huggingface_hub.errors import HFValidationError

    try:
        found = try_to_load_from_cache(name, "tokenizer.json", revision=revision)
    except HFValidationError:
        return None
    return Path(found).parent if isinstance(found, str) else None
