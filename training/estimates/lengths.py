"""Sequence lengths of a dataset for a base model."""

from uuid import UUID

from django.conf import settings

from datasets.domain.counts import Counts
from datasets.models import Dataset, DatasetQuerySet
from datasets.tokens.on_demand import count_now
from lora_pipeline.models import User
from lora_pipeline.postgres.compiled import Compiled
from training.domain.estimator.batches import LengthHistogram

UNREAD = ("validation_errors", "validation_warnings", "sample_data")


def to_estimate(user: User, dataset_id: UUID, base_model: str) -> Dataset | None:
    """The user's dataset with its counts for a base model, in one query.

    They are counted now where that model's tokenizer is here and has not been asked.
    """
    default = settings.DEFAULT_BASE_MODEL
    asked = default if "\0" in base_model or not base_model else base_model
    wanted = {"user": user.pk, "dataset": dataset_id, "model": asked}
    found = _noted(DATASET.one(**wanted, default=default), asked)
    if found is not None and count_now(found, asked):
        return _noted(DATASET.one(**wanted, default=default), asked)
    return found


def _noted(dataset: Dataset | None, base_model: str) -> Dataset | None:
    if dataset is not None:
        dataset.counts_asked = base_model, getattr(dataset, "counted", None)
    return dataset


def _own(user: UUID, dataset: UUID, model: str, default: str) -> DatasetQuerySet:
    """A dataset without the large columns that no estimate needs."""
    own = Dataset.objects.visible_to(User(pk=user)).filter(pk=dataset).order_by()
    return own.defer(*UNREAD).with_counts(model, default)


DATASET = Compiled(_own, user=UUID, dataset=UUID, model=str, default=str)


def counts_of(dataset: Dataset, base_model: str) -> Counts:
    """The train split in a base model's tokens; empty for the default model.

    Where nothing was measured, all sequences have the mean length.
    """
    default = settings.DEFAULT_BASE_MODEL
    found = dataset.counts_for(base_model or default, default)
    return found or _by_totals(dataset)


def _by_totals(dataset: Dataset) -> Counts:
    pairs, tokens = dataset.total_training_pairs or 0, dataset.total_tokens or 0
    return Counts(
        base_model=settings.DEFAULT_BASE_MODEL,
        exact=dataset.tokens_exact,
        examples=pairs,
        tokens=tokens,
        lengths=[[max(round(tokens / pairs), 1), pairs]] if pairs else [],
        first_learned=dataset.label_starts or [[1, pairs]],
    )


def lengths_of(counts: Counts, *, max_length: int) -> LengthHistogram:
    """The lengths of the sequences that are trained on at a max_length.

    Raises ValueError if there are none.
    """
    found = counts.trained_lengths(max_length)
    if not found:
        raise ValueError("An estimate needs at least one training pair.")
    return LengthHistogram.of(found)
