"""A configuration that was checked against the catalogue, and how it becomes one."""

from dataclasses import dataclass

from lora_pipeline.errors import Refusal
from training.domain.config import JobConfig
from training.estimates.lookup import Catalogue, look_up
from training.estimates.rules import find_problems
from training.models import GpuType


@dataclass(frozen=True, slots=True, kw_only=True)
class CheckedConfig:
    """What the catalogue has nothing against, with the rows that it was checked by.

    Made by a serializer or form that has found no fault, or by `checked`; whoever gets
    one need not check again.
    """

    config: JobConfig
    gpu: GpuType
    found: Catalogue


def checked(config: JobConfig) -> CheckedConfig:
    """A configuration that no form or serializer has seen.

    Raises Refusal with every fault by field.
    """
    found = look_up(gpu_type=config.gpu_type, base_model=config.base_model)
    problems = find_problems(
        gpu_type=config.gpu_type,
        gpu_count=config.gpu_count,
        base_model=config.base_model,
        found=found,
        chosen=config.hyperparameters.as_dict(),
    )
    if found.gpu is None or problems:
        raise Refusal(
            "Some values cannot be used: see details.",
            code="invalid",
            details=problems.by_field,
        )
    return CheckedConfig(config=config, gpu=found.gpu, found=found)
