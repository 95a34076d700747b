"""Alternatives for a job that waits for a GPU type no machine offers."""

from dataclasses import dataclass, replace

from training.domain import lifecycle
from training.estimates.checked import CheckedConfig
from training.estimates.compare_gpus import Offer, compare
from training.estimates.lookup import look_up
from training.jobs.services import config_of
from training.models import GpuOffer, TrainingJob


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A connected GPU type, the possible count, and the estimate there."""

    count: int
    offer: Offer


@dataclass(frozen=True, slots=True, kw_only=True)
class Stranded:
    """The unavailable GPU type a job waits for, and the connected ones."""

    machine: str
    moves: list[Move]


def stranded(job: TrainingJob) -> Stranded | None:
    """None if the job has left the queue or its type is connected."""
    if job.status != lifecycle.QUEUED:
        return None
    counts = _most_offered()
    most = counts.get(job.gpu_type, 0)
    if job.gpu_count <= most:
        return None
    machine = f"{job.gpu_count} x {job.gpu_type}" if most else job.gpu_type
    return Stranded(machine=machine, moves=_moves(job, counts))


def _most_offered() -> dict[str, int]:
    """The maximum number of GPUs of each type on one backend."""
    counts: dict[str, int] = {}
    for name, count in GpuOffer.objects.values_list("gpu_type_id", "count"):
        counts[name] = max(count, counts.get(name, 0))
    return counts


def _moves(job: TrainingJob, counts: dict[str, int]) -> list[Move]:
    config, moves = config_of(job), []
    found = look_up(gpu_type=job.gpu_type, base_model=job.base_model_id)
    for gpu in found.machines:
        count = min(job.gpu_count, counts.get(gpu.name, 0), gpu.max_count)
        if count:
            there = replace(config, gpu_type=gpu.name, gpu_count=count)
            asked = CheckedConfig(config=there, gpu=gpu, found=found)
            offers = compare([gpu], dataset=job.dataset, asked=asked)
            moves.append(Move(count=count, offer=offers[0]))
    return moves
