"""What a dataset's owner is told when checking has ended."""

from django.contrib.humanize.templatetags.humanize import intcomma

from datasets.models import Dataset
from notifications.services import tell

UNUSABLE = "its page names what is wrong, by line, and how to mend it."


def tell_result(dataset: Dataset) -> None:
    """Ready or in error, inside the caller's transaction; nothing of a deleted one."""
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
