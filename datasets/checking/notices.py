"""Notifies a dataset's owner when validation has finished."""

from django.contrib.humanize.templatetags.humanize import intcomma

from datasets.models import Dataset
from notifications.services import tell

UNUSABLE = "see its page for the errors by line and how to fix them."


def tell_result(dataset: Dataset) -> None:
    """Notify of ready or error, in the caller's transaction; not if deleted."""
    if not dataset.is_settled or dataset.deleted_at is not None:
        return
    ready = dataset.is_trainable
    tell(
        user_id=dataset.user_id,
        kind="dataset_ready" if ready else "dataset_error",
        values={
            "dataset_id": str(dataset.pk),
            "dataset_name": dataset.name,
            "words": _ready_words(dataset) if ready else UNUSABLE,
        },
        action_url=f"/datasets/{dataset.pk}",
    )


def _ready_words(dataset: Dataset) -> str:
    pairs, tokens = dataset.total_training_pairs or 0, dataset.total_tokens or 0
    return f"{intcomma(pairs)} training sequences, {intcomma(tokens)} tokens."
