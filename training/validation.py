"""The rules across fields and rows that form and API share."""

from rest_framework import status

from datasets.models import Dataset
from lora_pipeline.envelope import Refusal
from training.domain.config import JobConfig, Problems
from training.models import BaseModel, GpuType

UNKNOWN_DATASET = "There is no such dataset among yours."


def find_problems(config: JobConfig, gpu: GpuType | None) -> Problems:
    """What is wrong with a configuration whose single values are in range."""
    problems = Problems()
    if gpu is None or not gpu.enabled:
        known = ", ".join(GpuType.objects.enabled().values_list("name", flat=True))
        problems.add(
            "gpu_config.type", f"Received {config.gpu_type!r}; choose one of: {known}."
        )
    elif config.gpu_count > gpu.max_count:
        problems.add(
            "gpu_config.count",
            f"Received {config.gpu_count}; {gpu.name} allows at most {gpu.max_count}.",
        )
    if config.base_model and not _is_known(config.base_model):
        models = BaseModel.objects.enabled().values_list("id", flat=True)
        problems.add(
            "base_model",
            f"Received {config.base_model!r}; choose one of: {', '.join(models)}.",
        )
    return problems


def _is_known(base_model: str) -> bool:
    return BaseModel.objects.enabled().filter(pk=base_model).exists()


def require_statistics(dataset: Dataset) -> None:
    """An estimate needs pairs and tokens; says the status when there are none."""
    if not dataset.total_training_pairs or dataset.total_tokens is None:
        message = (
            f"The dataset has no training pairs yet: its status is {dataset.status}. "
            "Wait until it was checked, or mend its file."
        )
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
