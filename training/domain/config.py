"""A job's configuration, after every value was checked against its range."""

from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from training.domain.limits import LIMITS, SCHEDULERS
from training.domain.method import LORA
from training.domain.presets import DEFAULT_PRESET
from training.domain.priority import NORMAL


@dataclass(frozen=True, slots=True, kw_only=True)
class Hyperparameters:
    """The hyperparameters of a run; names as in the API, ranges in `limits`.

    `gradient_checkpointing` and `micro_batch` None: chosen automatically. `eval_steps`
    None: evaluated after every epoch. `warmup_steps` None: `warmup_ratio` of all steps.
    `max_grad_norm` 0: gradients are not clipped. `neftune_noise_alpha` None: no noise.
    `early_stopping_patience` None: trained to the last step; else so many evaluations
    without a loss lower by more than `early_stopping_threshold` end the run.
    """

    learning_rate: float
    batch_size: int
    epochs: int
    rank: int
    alpha: int
    dropout: float = 0.05
    max_length: int = 1024
    seed: int = 42
    warmup_ratio: float = 0.03
    scheduler: str = "linear"
    method: str = LORA
    packing: bool = False
    gradient_checkpointing: bool | None = None
    micro_batch: int | None = None
    use_rslora: bool = False
    weight_decay: float = 0.0
    max_grad_norm: float = 1.0
    neftune_noise_alpha: float | None = None
    warmup_steps: int | None = None
    eval_steps: int | None = None
    early_stopping_patience: int | None = None
    early_stopping_threshold: float = 0.0
    load_best_model_at_end: bool = False

    def as_dict(self) -> dict[str, Any]:
        """Plain values by name, as stored on the job."""
        return {name: getattr(self, name) for name in self.__slots__}


@dataclass(frozen=True, slots=True, kw_only=True)
class JobConfig:
    """A complete job request, without its dataset."""

    gpu_type: str
    gpu_count: int
    hyperparameters: Hyperparameters
    preset_id: str = DEFAULT_PRESET.id
    base_model: str = ""
    name: str = ""
    quoted_cost: Decimal | None = None
    max_cost: Decimal | None = None
    priority: int = NORMAL
    confirm_memory: bool = False


@dataclass(slots=True)
class Problems:
    """Errors collected by field, so that all are reported at once."""

    by_field: dict[str, list[str]] = field(default_factory=dict)

    def add(self, name: str, message: str) -> None:
        self.by_field.setdefault(name, []).append(message)

    def __bool__(self) -> bool:
        return bool(self.by_field)


def fill_defaults(values: dict[str, Any]) -> Hyperparameters:
    """Hyperparameters with defaults: alpha = 2 x rank, others from `limits`."""
    filled: dict[str, Any] = {name: limit.default for name, limit in LIMITS.items()}
    filled |= {"alpha": min(2 * values["rank"], LIMITS["alpha"].maximum)}
    filled |= {"scheduler": SCHEDULERS[0]}
    filled |= {name: value for name, value in values.items() if value is not None}
    whole = {name for name, limit in LIMITS.items() if limit.whole}
    checked: dict[str, Any] = {
        name: int(value) if name in whole else value for name, value in filled.items()
    }
    return Hyperparameters(**checked)
