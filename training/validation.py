"""The rules across fields and rows that form and API share."""

from dataclasses import dataclass

from django.db.models import Exists
from rest_framework import status

from datasets.models import Dataset
from lora_pipeline.envelope import Refusal
from training.domain.config import Problems
from training.models import BaseModel, GpuType

UNKNOWN_DATASET = "There is no such dataset among yours."


@dataclass(frozen=True, slots=True, kw_only=True)
class Catalogue:
    """What the catalogue knows of a request: its GPU type, and whether its model."""

    gpu: GpuType | None
    model_is_known: bool


def look_up(*, gpu_type: str, base_model: str) -> Catalogue:
    """The enabled GPU type and base model asked for; one query for both.

    Without a base model the job trains DEFAULT_BASE_MODEL, which needs no look.
    """
    models = BaseModel.objects.enabled().filter(pk=base_model)
    asked = GpuType.objects.enabled().filter(pk=gpu_type)
    gpu = asked.annotate(model_is_known=Exists(models)).first()
    if not base_model:
        return Catalogue(gpu=gpu, model_is_known=True)
    known = (
        models.exists() if gpu is None else bool(getattr(gpu, "model_is_known", False))
    )
    return Catalogue(gpu=gpu, model_is_known=known)


def find_problems(
    *, gpu_type: str | None, gpu_count: int | None, base_model: str, found: Catalogue
) -> Problems:
    """What the catalogue says against a request; None stands for a faulty value."""
    problems, gpu = Problems(), found.gpu
    if gpu is None and gpu_type is not None:
        known = ", ".join(GpuType.objects.enabled().values_list("name", flat=True))
        words = f"Received {gpu_type!r}; choose one of: {known}."
        problems.add("gpu_config.type", words)
    elif gpu is not None and gpu_count is not None and gpu_count > gpu.max_count:
        words = f"Received {gpu_count}; {gpu.name} allows at most {gpu.max_count}."
        problems.add("gpu_config.count", words)
    if not found.model_is_known:
        models = ", ".join(BaseModel.objects.enabled().values_list("id", flat=True))
        problems.add("base_model", f"Received {base_model!r}; choose one of: {models}.")
    return problems


def require_statistics(dataset: Dataset, max_length: int) -> None:
    """An estimate needs pairs and tokens; says the status when there are none."""
    if not dataset.total_training_pairs or dataset.total_tokens is None:
        message = (
            f"The dataset has no training pairs yet: its status is {dataset.status}. "
            "Wait until it was checked, or mend its file."
        )
    elif not dataset.training_pairs_at(max_length):
        message = (
            f"No example has a token to learn within {max_length} tokens: raise "
            "max_length, or shorten what comes before the answers."
        )
    else:
        return
    raise Refusal(
        message, code="dataset_without_pairs", details={"dataset_id": [message]}
    )


def require_ready(dataset: Dataset) -> None:
    """A job needs a dataset that was checked and found trainable; says both values."""
    if dataset.is_trainable:
        return
    message = (
        f"The dataset is not ready: status is {dataset.status}, training_ready is "
        f"{str(dataset.training_ready).lower()}; needed are ready and true."
    )
    raise Refusal(
        message,
        status_code=status.HTTP_400_BAD_REQUEST,
        code="dataset_not_ready",
        details={"dataset_id": [message]},
    )
