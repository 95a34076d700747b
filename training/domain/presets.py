"""The three presets, and `custom` for everything else."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from training.domain.limits import plain

CUSTOM = "custom"
VALUE_NAMES = ("learning_rate", "batch_size", "epochs", "rank", "alpha", "dropout")


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """A preset: its hyperparameters and use case."""

    id: str
    title: str
    icon: str
    use_case: str
    learning_rate: float
    batch_size: int
    epochs: int
    rank: int
    alpha: int
    dropout: float

    def values(self) -> dict[str, float]:
        """The hyperparameters by name."""
        return {name: getattr(self, name) for name in VALUE_NAMES}

    def texts(self) -> dict[str, str]:
        """The hyperparameters as form values."""
        return {name: plain(value) for name, value in self.values().items()}


PRESETS = {
    preset.id: preset
    for preset in (
        Preset(
            id="fast",
            title="Fast",
            icon="zap",
            use_case="Quick testing and iteration",
            learning_rate=0.0001,
            batch_size=8,
            epochs=1,
            rank=8,
            alpha=16,
            dropout=0.05,
        ),
        Preset(
            id="balanced",
            title="Balanced",
            icon="target",
            use_case="Best for most cases",
            learning_rate=0.00005,
            batch_size=4,
            epochs=3,
            rank=16,
            alpha=32,
            dropout=0.1,
        ),
        Preset(
            id="quality",
            title="Quality",
            icon="crown",
            use_case="Maximum quality for production",
            learning_rate=0.00003,
            batch_size=2,
            epochs=5,
            rank=32,
            alpha=64,
            dropout=0.1,
        ),
    )
}
DEFAULT_PRESET = PRESETS["balanced"]
PRESET_IDS = (*PRESETS, CUSTOM)


def matching(hyperparameters: Mapping[str, Any]) -> str:
    """The id of the preset with exactly these values, else `custom`."""
    found = (name for name in PRESETS if name_of(name, hyperparameters) == name)
    return next(found, CUSTOM)


def name_of(preset_id: str, hyperparameters: Mapping[str, Any]) -> str:
    """The preset's id if all values match it, else `custom`."""
    preset = PRESETS.get(preset_id)
    if preset is None:
        return CUSTOM
    same = all(
        hyperparameters[name] == value for name, value in preset.values().items()
    )
    return preset_id if same else CUSTOM
