"""The accepted ranges of all job settings.

Model fields, serializers, forms and templates all read them here.
"""

import math
from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """A closed range; `slider_maximum` and `step` define the form's slider."""

    minimum: float
    maximum: float
    default: float
    whole: bool = True
    slider_maximum: float | None = None
    step: float = 1

    def problem(self, value: object) -> str | None:
        """The error message for a value, or None if it is accepted."""
        kind = "an integer" if self.whole else "a number"
        allowed = f"{kind} from {plain(self.minimum)} to {plain(self.maximum)}"
        if self._holds(value):
            return None
        return f"Received {shown(value)}; must be {allowed}."

    def _holds(self, value: object) -> bool:
        if isinstance(value, bool) or not isinstance(value, int | float):
            return False
        inside = self.minimum <= value <= self.maximum
        return inside and (not self.whole or value == int(value))


def shown(value: object, longest: int = 80) -> str:
    """A received value for an error message: escaped, and shortened if long."""
    text = repr(value)
    if isinstance(value, float) and math.isfinite(value):
        text = plain(value) if float(plain(value)) == value else text
    return text if len(text) <= longest else f"{text[:longest]}…"


def plain(value: float) -> str:
    """A number without exponent or trailing zeros: 0.00005, not 5e-05."""
    if value == int(value):
        return str(int(value))
    return f"{value:.10f}".rstrip("0")


LIMITS: dict[str, Limit] = {
    "learning_rate": Limit(
        minimum=0.00001,
        maximum=0.001,
        default=0.00005,
        whole=False,
        slider_maximum=0.0002,
        step=0.00001,
    ),
    "batch_size": Limit(minimum=1, maximum=64, default=4, slider_maximum=16),
    "epochs": Limit(minimum=1, maximum=20, default=3, slider_maximum=10),
    "rank": Limit(minimum=4, maximum=128, default=16, slider_maximum=64, step=4),
    "alpha": Limit(minimum=1, maximum=512, default=32),
    "dropout": Limit(minimum=0, maximum=0.5, default=0.05, whole=False, step=0.01),
    "max_length": Limit(minimum=16, maximum=131_072, default=1024),
    "seed": Limit(minimum=0, maximum=2**31 - 1, default=42),
    "warmup_ratio": Limit(minimum=0, maximum=0.5, default=0.03, whole=False, step=0.01),
    "weight_decay": Limit(minimum=0, maximum=1, default=0, whole=False, step=0.01),
    "max_grad_norm": Limit(minimum=0, maximum=100, default=1, whole=False, step=0.1),
    "early_stopping_threshold": Limit(
        minimum=0, maximum=10, default=0, whole=False, step=0.001
    ),
}
REQUIRED = ("learning_rate", "batch_size", "epochs", "rank")
"""Required for an estimate; everything else has a default."""
GPU_COUNT = Limit(minimum=1, maximum=8, default=1)
OPTIONAL: dict[str, Limit] = {
    "micro_batch": Limit(minimum=1, maximum=64, default=1),
    "warmup_steps": Limit(minimum=0, maximum=1_000_000, default=0),
    "neftune_noise_alpha": Limit(minimum=0.1, maximum=100, default=5, whole=False),
    "eval_steps": Limit(minimum=1, maximum=1_000_000, default=1),
    "early_stopping_patience": Limit(minimum=1, maximum=100, default=1),
}
"""Settings that may have no value: chosen automatically, by the epoch, or off."""
SCHEDULERS = (
    "linear",
    "cosine",
    "cosine_with_restarts",
    "polynomial",
    "constant",
    "constant_with_warmup",
    "inverse_sqrt",
)
"""As transformers names them; those that need settings of their own are left out."""
