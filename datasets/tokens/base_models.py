"""The tokenizer that belongs to a base model of the catalogue."""

from pathlib import Path

from huggingface_hub import try_to_load_from_cache
from huggingface_hub.errors import HFValidationError

from datasets.tokens.tokenizer import EstimatedTokenizer, ModelTokenizer, tokenizer_in
from training.models import BaseModel

AnyTokenizer = ModelTokenizer | EstimatedTokenizer


def tokenizer_of(base_model: str) -> AnyTokenizer:
    """The tokenizer of a base model of the catalogue, or the estimate."""
    return tokenizer_in(model_folder(base_model))


def model_folder(base_model: str) -> Path | None:
    """Where a base model's tokenizer lies: its own folder, or the hub's cache here."""
    model = BaseModel.objects.filter(pk=base_model).first()
    if model is None:
        return None
    if model.path:
        return Path(model.path)
    return _cached(model.pk, model.revision or None)


def _cached(name: str, revision: str | None) -> Path | None:
    """The folder of the hub's cache, if a run has fetched the model before."""
    try:
        found = try_to_load_from_cache(name, "tokenizer.json", revision=revision)
    except HFValidationError:
        return None
    return Path(found).parent if isinstance(found, str) else None
