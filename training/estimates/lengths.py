"""Sequence lengths of a dataset for a base model."""

from typing import Any
from uuid import UUID

from django.conf import settings

from datasets.models import Dataset, DatasetQuerySet
from lora_pipeline.models import User
from lora_pipeline.postgres.compiled import Compiled
from training.domain.estimator.batches import LengthHistogram

UNREAD = ("validation_errors", "validation_warnings", "sample_data")


def to_estimate(user: User, dataset_id: UUID, base_model: str) -> Dataset | None:
    """The user's dataset with its lengths for a base model, in one query."""
    default = settings.DEFAULT_BASE_MODEL
    asked = default if "\0" in base_model or not base_model else base_model
    return DATASET.one(user=user.pk, dataset=dataset_id, model=asked, default=default)


def _own(user: UUID, dataset: UUID, model: str, default: str) -> DatasetQuerySet:
    """A dataset without the large columns that no estimate needs."""
    own = Dataset.objects.visible_to(User(pk=user)).filter(pk=dataset).order_by()
    return own.defer(*UNREAD).with_lengths(model, default)


DATASET = Compiled(_own, user=UUID, dataset=UUID, model=str, default=str)


def lengths_of(
    dataset: Dataset, *, base_model: str, max_length: int
) -> LengthHistogram:
    """The measured length histogram of the train split, else all at the mean length.

    One query if the row was loaded without lengths. Raises ValueError if there are no
    training pairs.
    """
    pairs = dataset.training_pairs_at(max_length)
    if pairs < 1:
        raise ValueError("An estimate needs at least one training pair.")
    stored = _stored(dataset, base_model)
    if not stored:
        total = dataset.total_tokens or 0
        return LengthHistogram.uniform(pairs=pairs, total_tokens=total)
    return trained(LengthHistogram.of(stored), pairs)


def _stored(dataset: Dataset, base_model: str) -> Any:
    if not hasattr(dataset, "measured_lengths"):
        rows = Dataset.objects.filter(pk=dataset.pk)
        found = rows.with_lengths(base_model, settings.DEFAULT_BASE_MODEL).first()
        return getattr(found, "measured_lengths", None)
    return dataset.measured_lengths


def trained(measured: LengthHistogram, pairs: int) -> LengthHistogram:
    """Drop the sequences without labels, which are the longest ones.

    A sequence is left out if it is truncated before its first answer.
    """
    excess = measured.pairs - pairs
    kept = list(zip(measured.lengths, measured.counts, strict=True))
    while excess > 0:
        length, count = kept.pop()
        if count > excess:
            kept.append((length, count - excess))
        excess -= count
    return LengthHistogram.of(kept)
