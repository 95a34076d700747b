"""The spec of this run, from the console."""

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

LORA, QLORA = "lora", "qlora"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hyperparameters:
    """Names as in the console's API; `batch_size` counts sequences over all GPUs."""

    learning_rate: float
    batch_size: int
    epochs: int
    rank: int
    alpha: int
    dropout: float
    max_length: int
    seed: int
    warmup_ratio: float
    scheduler: str
    use_rslora: bool = False
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    neftune_noise_alpha: float | None = None
    warmup_steps: int | None = None
    eval_steps: int | None = None
    early_stopping_patience: int | None = None
    early_stopping_threshold: float = 0.0
    load_best_model_at_end: bool = False

    def is_exhausted(self, evaluations_without_gain: int) -> bool:
        """Whether the patience is used up."""
        patience = self.early_stopping_patience
        return patience is not None and evaluations_without_gain >= patience


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Batch plan and weight storage; None means the trainer chooses."""

    method: str = LORA
    packing: bool = False
    gradient_checkpointing: bool | None = None
    micro_batch: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Spec:
    """Everything that determines the outcome of a run."""

    run_id: str
    job_id: str
    attempt: int
    base_model: dict[str, Any]
    dataset: dict[str, Any]
    hyperparameters: Hyperparameters
    plan: Plan
    checkpoint_every_steps: int
    process_count: int
    resume_step: int
    resume_name: str
    run_dir: Path

    def at(self, commit: str) -> "Spec":
        """The run on this commit of its base model; empty for a folder."""
        base_model = self.base_model | ({"revision": commit} if commit else {})
        return replace(self, base_model=base_model)

    @property
    def checkpoints(self) -> Path:
        return self.run_dir / "checkpoints"


def read_spec(answer: dict[str, Any], run_dir: Path) -> Spec:
    """The console's response as a Spec; unknown keys are ignored."""
    given = answer["hyperparameters"]
    values = {name: given[name] for name in Hyperparameters.__slots__ if name in given}
    resume = answer["resume_from"] or {"step": 0, "name": ""}
    return Spec(
        run_id=answer["run_id"],
        job_id=answer["job_id"],
        attempt=answer["attempt"],
        base_model=answer["base_model"],
        dataset=answer["dataset"],
        hyperparameters=Hyperparameters(**values),
        plan=Plan(**{name: answer["plan"][name] for name in Plan.__slots__}),
        checkpoint_every_steps=answer["checkpoint_every_steps"],
        process_count=answer["process_count"],
        resume_step=resume["step"],
        resume_name=resume["name"],
        run_dir=run_dir,
    )


def micro_batch(per_process: int, largest: int = 8) -> int:
    """The micro-batch: the largest divisor of a process's share up to a limit.

    >>> micro_batch(12)
    6
    """
    return max(n for n in range(1, largest + 1) if per_process % n == 0)


def step_of(checkpoint: str) -> int:
    """The step in a checkpoint's name; 0 for other names, such as an unfinished copy.

    >>> step_of("checkpoint-20")
    20
    """
    number = checkpoint.rpartition("-")[2]
    return int(number) if number.isdigit() else 0
