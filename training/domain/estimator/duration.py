"""Fixed costs of a run besides its steps, and the total duration."""

from dataclasses import dataclass, fields

from training.domain.catalogue.architecture import Architecture
from training.domain.estimator.memory import ADAPTER_BYTES, weight_bytes
from training.domain.method import Method


@dataclass(frozen=True, slots=True, kw_only=True)
class Overheads:
    """Fixed costs of a run: initial values, refined by own records (`learned`).

    start_seconds: the trainer's imports take 4 to 6 s, the first requests and the
        dataset download a few more (measured on two cores).
    prepare_seconds_per_pair: rendering and tokenising, 0.4 ms per short chat
        (measured).
    download_bytes_per_second: a base model not yet on the machine, from the hub.
    load_seconds, load_bytes_per_second: building the trainer around the model; weights
        from a warm disk to the device.
    first_step_seconds: caches, autotuning and lazily loaded kernels, 4 to 28 s on a
        CPU, less on a GPU (measured).
    write_bytes_per_second, write_seconds: a checkpoint has the adapter, the optimizer
        moments and a second of bookkeeping.
    save_seconds: adapter, tokenizer, archive, upload.
    Known error: 30 to 50 % each before own records; relevant only for short runs.
    """

    start_seconds: float = 12.0
    prepare_seconds_per_pair: float = 0.0004
    download_bytes_per_second: float = 100e6
    load_seconds: float = 2.0
    load_bytes_per_second: float = 1e9
    first_step_seconds: float = 10.0
    write_bytes_per_second: float = 200e6
    write_seconds: float = 1.0
    save_seconds: float = 8.0


OVERHEAD_SPREAD = 0.4
"""Relative error of the total fixed costs, before own records."""


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationParts:
    """Seconds by phase; names are the keys of the response."""

    start: float
    prepare_data: float
    download_model: float
    load_model: float
    first_step: float
    training: float
    evaluation: float
    checkpoints: float
    save: float

    @property
    def total(self) -> float:
        return sum((float(getattr(self, part.name)) for part in fields(self)), 0.0)

    @property
    def steps(self) -> float:
        """The part predicted by the throughput model."""
        return self.training + self.evaluation

    @property
    def fixed(self) -> float:
        """The time that remains with no data at all."""
        return self.total - self.steps


def duration_parts(
    architecture: Architecture,
    method: Method,
    overheads: Overheads,
    *,
    pairs: int,
    training_seconds: float,
    evaluation_seconds: float,
    checkpoints: int,
    downloaded: bool,
) -> DurationParts:
    """start-up + data + download + load + first step + steps + evaluation + saving."""
    fetched = weight_bytes(architecture, Method()) if not downloaded else 0.0
    loaded = weight_bytes(architecture, method)
    trained = architecture.lora_parameters(method.rank)
    # Of the 16 bytes per trained parameter, all but the gradient's 4 are saved.
    written = (ADAPTER_BYTES - 4) * trained / overheads.write_bytes_per_second
    return DurationParts(
        start=overheads.start_seconds,
        prepare_data=overheads.prepare_seconds_per_pair * pairs,
        download_model=fetched / overheads.download_bytes_per_second,
        load_model=overheads.load_seconds + loaded / overheads.load_bytes_per_second,
        first_step=overheads.first_step_seconds,
        training=training_seconds,
        evaluation=evaluation_seconds,
        checkpoints=checkpoints * (overheads.write_seconds + written),
        save=overheads.save_seconds,
    )
