"""Finds the tokenizer of a base model in the catalogue."""

from pathlib import Path

from huggingface_hub import try_to_load_from_cache
from huggingface_hub.errors import HFValidationError

from datasets.tokens.tokenizer import EstimatedTokenizer, ModelTokenizer, tokenizer_in
from training.models import BaseModel

AnyTokenizer = ModelTokenizer | EstimatedTokenizer


def tokenizer_of(base_model: str) -> AnyTokenizer:
    """The tokenizer of a base model in the catalogue, or the estimator."""
    return tokenizer_in(model_folder(base_model))


def model_folder(base_model: str) -> Path | None:
    """Folder of a base model's tokenizer: its own, or the local hub cache."""
    model = BaseModel.objects.filter(pk=base_model).first()
    if model is None:
        return None
    if model.folder is not None:
        return model.folder
    return _cached(model.pk, model.revision or None)


def _cached(name: str, revision: str | None) -> Path | None:
    """The folder in the hub cache, if a run has downloaded the model."""
    try:
        found = try_to_load_from_cache(name, "tokenizer.json", revision=revision)
    except HFValidationError:
        return None
    return Path(found).parent if isinstance(found, str) else None
