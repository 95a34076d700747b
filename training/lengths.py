"""How long a dataset's sequences are, by the base model that is to learn them."""

from datasets.models import Dataset
from training.domain.batches import LengthHistogram


def lengths_of(dataset: Dataset) -> LengthHistogram:
    """The measured histogram when the row carries one, else all of the mean length.

    Raises ValueError when there is no pair to train on.
    """
    pairs = dataset.total_training_pairs or 0
    if pairs < 1:
        raise ValueError("An estimate needs at least one training pair.")
    stored = getattr(dataset, "measured_lengths", None)
    if not stored:
        total = dataset.total_tokens or 0
        return LengthHistogram.uniform(pairs=pairs, total_tokens=total)
    return trained(LengthHistogram.of(stored), pairs)


def trained(measured: LengthHistogram, pairs: int) -> LengthHistogram:
    """As many sequences as are trained: what learns nothing are the longest.

    A sequence is left out when it is cut before its first answer begins.
    """
    excess = measured.pairs - pairs
    kept = list(zip(measured.lengths, measured.counts, strict=True))
    while excess > 0:
        length, count = kept.pop()
        if count > excess:
            kept.append((length, count - excess))
        excess -= count
    return LengthHistogram.of(kept)
