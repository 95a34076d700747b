"""The tables of training: catalogue, jobs, runs, results, calibration."""

from training.models.calibration import (
    CalibrationCell,
    CalibrationRecord,
    CalibrationScore,
)
from training.models.catalogue import BaseModel, GpuOffer, GpuType, check_dimensions
from training.models.jobs import (
    BY_LENGTH,
    JOB_STATUSES,
    NAME_LENGTH,
    IdempotencyKey,
    TrainingJob,
    choices,
)
from training.models.machines import Machine
from training.models.prices import GpuPrice
from training.models.results import (
    Adapter,
    AdapterExport,
    AdapterQuestion,
    CostRecord,
    Work,
)
from training.models.runs import (
    Checkpoint,
    DeviceClaim,
    JobEvent,
    MetricPoint,
    RunAttempt,
)

__all__ = [
    "BY_LENGTH",
    "JOB_STATUSES",
    "NAME_LENGTH",
    "Adapter",
    "AdapterExport",
    "AdapterQuestion",
    "BaseModel",
    "CalibrationCell",
    "CalibrationRecord",
    "CalibrationScore",
    "Checkpoint",
    "CostRecord",
    "DeviceClaim",
    "GpuOffer",
    "GpuPrice",
    "GpuType",
    "IdempotencyKey",
    "JobEvent",
    "Machine",
    "MetricPoint",
    "RunAttempt",
    "TrainingJob",
    "Work",
    "check_dimensions",
    "choices",
]
