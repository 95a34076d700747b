"""Cross-field and cross-row rules shared by form and API."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

from datasets.domain.counts import Counts
from datasets.models import Dataset
from lora_pipeline.errors import Refusal, Rule
from training.catalogue.model_type import model_type_of
from training.domain.catalogue.packing import can_pack
from training.domain.catalogue.suitability import cannot_adapt
from training.domain.config import Hyperparameters, Problems
from training.domain.limits import LIMITS
from training.domain.method import QLORA
from training.domain.schedule import process_count
from training.estimates.lookup import Catalogue
from training.models import BaseModel

MAX_LENGTH = int(LIMITS["max_length"].maximum)
DATASET_NOT_READY = Rule(
    code="dataset_not_ready",
    words="The dataset is not ready: status is {status}, training_ready is {ready}. "
    "Both must be ready and true.",
    when="The dataset is not validated yet, or cannot be trained on.",
    status_code=400,
    field_name="dataset_id",
    example={"status": "validating", "ready": "false"},
)
PREFERENCE_DATA = Rule(
    code="preference_data",
    words="The dataset holds preferences: fine-tuning on it as it is would learn its "
    "rejected answers too. Set its chosen_only to true (on its page: Train on the "
    "chosen answers only), or choose another dataset.",
    when="The dataset holds preference pairs, or answers marked bad.",
    status_code=400,
    field_name="dataset_id",
)
MOSTLY_REFUSED = Rule(
    code="refused_by_template",
    words="The chat template of {base_model} rejects {refused}, which would be left "
    "out: {words}. Choose another base model, or change the data.",
    when="The base model's chat template rejects more than three quarters.",
    status_code=400,
    field_name="base_model",
    example={
        "base_model": "google/gemma-2-2b-it",
        "refused": "21 of 22 examples",
        "words": "“System role not supported” (21)",
    },
)
CANNOT_TRAIN = Rule(
    code="cannot_train",
    words="{base_model} cannot be trained on this dataset. {words}",
    when="The base model cannot be trained: its tokens, positions or kind.",
    status_code=400,
    field_name="base_model",
    example={
        "base_model": "openai-community/gpt2",
        "words": "It has learned 1,024 positions, and the longest sequence has 1,248 "
        "tokens. Set max_length to 1,024 or less.",
    },
)
DOES_NOT_FIT = Rule(
    code="does_not_fit",
    words="The job needs about {required_gib} GiB and {gpu_type} has {available_gib}: "
    "it does not fit.{change} To start anyway, send confirm_memory: true.",
    when="The job does not fit into memory and confirm_memory is not true.",
    example={
        "required_gib": 158.3,
        "gpu_type": "A100-80GB",
        "available_gib": 79.15,
        "change": " With QLoRA (4-bit weights) it fits: 63.9 GiB.",
    },
)


def find_problems(
    *,
    gpu_type: str | None,
    gpu_count: int | None,
    base_model: str,
    found: Catalogue,
    chosen: Mapping[str, Any] | None = None,
) -> Problems:
    """Conflicts of a request with the catalogue; None stands for an invalid value.

    `chosen` are the given hyperparameters, by name.
    """
    problems, gpu = Problems(), found.gpu
    if gpu is None and gpu_type is not None:
        known = ", ".join(sorted(gpu.name for gpu in found.machines))
        words = f"Received {gpu_type!r}; choose one of: {known}."
        problems.add("gpu_config.type", words)
    elif gpu is not None and gpu_count is not None and gpu_count > gpu.max_count:
        words = f"Received {gpu_count}; {gpu.name} allows at most {gpu.max_count}."
        problems.add("gpu_config.count", words)
    if not found.model_is_known:
        models = ", ".join(BaseModel.objects.enabled().values_list("id", flat=True))
        problems.add("base_model", f"Received {base_model!r}; choose one of: {models}.")
    if found.model and (why := cannot_adapt(model_type_of(found.model))):
        problems.add("base_model", f"Received {found.model.pk!r}. {why}")
    for name, words in method_problems(chosen or {}, gpu_count, found.model):
        problems.add(f"hyperparameters.{name}", words)
    return problems


def method_problems(
    chosen: Mapping[str, Any], gpu_count: int | None, model: BaseModel | None
) -> Iterator[tuple[str, str]]:
    """Conflicts between method options, by option name."""
    batch, micro = _count(chosen.get("batch_size")), _count(chosen.get("micro_batch"))
    if batch and micro and gpu_count:
        share = batch // process_count(batch_size=batch, gpu_count=gpu_count)
        if share % micro:
            yield (
                "micro_batch",
                f"Received {micro}; it must divide {share}, the sequences per step "
                "and GPU. Leave it out for the automatic choice.",
            )
    if chosen.get("packing") is True and model is not None and not _packs(model):
        yield (
            "packing",
            f"Received true; {model.name} lets packed sequences see each other. "
            "Choose false.",
        )
    dimensions = model.architecture if model is not None else None
    if chosen.get("method") == QLORA and dimensions and dimensions.is_mixture:
        yield (
            "method",
            "Received 'qlora'; bitsandbytes cannot quantise MoE experts as "
            "transformers stores them. Choose 'lora'.",
        )


def _packs(model: BaseModel) -> bool:
    return can_pack(model_type_of(model), model.pk)


def _count(value: Any) -> int:
    """The sequences per step if valid so far, else 0."""
    return value if isinstance(value, int) and 1 <= value <= 64 else 0


def require_statistics(dataset: Dataset, counts: Counts, max_length: int) -> None:
    """An estimate needs pairs and tokens; without them, says the status or the cause.

    Raises Refusal.
    """
    if not counts.examples or dataset.total_tokens is None:
        message = (
            f"The dataset has no training pairs yet: its status is {dataset.status}. "
            "Wait for validation to finish, or fix the file and upload it again."
        )
    elif not counts.pairs_at(MAX_LENGTH):
        message = nothing_words(counts)
    elif not counts.pairs_at(max_length):
        message = (
            f"No example has a token to train on within {max_length} tokens. Raise "
            "max_length, or shorten the text before the answers."
        )
    else:
        return
    raise Refusal(
        message, code="dataset_without_pairs", details={"dataset_id": [message]}
    )


def require_validation(dataset: Dataset, chosen: Hyperparameters) -> None:
    """Early stopping, and the best adapter, need a validation loss. Raises Refusal."""
    if dataset.total_validation_pairs:
        return
    asked = {
        "early_stopping_patience": chosen.early_stopping_patience,
        "load_best_model_at_end": chosen.load_best_model_at_end,
    }
    words = "This dataset has no validation examples to tell by. Leave it out."
    details = {
        f"hyperparameters.{name}": [f"Received {json.dumps(value)}. {words}"]
        for name, value in asked.items()
        if value
    }
    if details:
        raise Refusal(words, code="no_validation", details=details)


def nothing_words(counts: Counts) -> str:
    """Why nothing can be learned of a dataset by this base model, and the way out."""
    why = " ".join(counts.warnings())
    return (
        f"Nothing would be learned with {counts.base_model}: no example has a token "
        f"to train on. {why} Choose another base model, or change the data."
    )


def require_learning(counts: Counts, max_length: int) -> None:
    """A job needs a base model that can be trained on the data. Raises Refusal."""
    if obstacles := counts.obstacles(max_length):
        raise CANNOT_TRAIN.refusal(
            base_model=counts.base_model, words=" ".join(obstacles)
        )
    if not counts.is_mostly_refused:
        return
    raise MOSTLY_REFUSED.refusal(
        base_model=counts.base_model,
        refused=counts.of_examples(counts.refused_by_template),
        words=counts.refusal_words,
    )


def require_ready(dataset: Dataset) -> None:
    """A job needs a dataset that is ready and trainable; reports both values."""
    if dataset.is_trainable:
        return
    if dataset.status == Dataset.Status.READY and dataset.is_preference:
        raise PREFERENCE_DATA.refusal()
    ready = str(dataset.training_ready).lower()
    raise DATASET_NOT_READY.refusal(status=dataset.status, ready=ready)
