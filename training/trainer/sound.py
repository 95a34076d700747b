"""Whether what a run learns is worth keeping: finite weights that have moved."""

import math
from typing import Any

MOST_NOT_FINITE = 3
MOST_WITHOUT_GRADIENT = 10


class Diverged(Exception):
    """The loss, the gradient or the weights are no numbers any more."""


class NothingLearned(Exception):
    """No weight moved: the adapter would be the base model unchanged."""


class Watch:
    """Ends a run that cannot come to anything: three steps in a row without a finite
    loss and gradient, or ten from the first one on without any gradient.

    Where float16's loss is scaled an infinite gradient is usual: that step is left out
    and the scale halved, several times at the start. There the loss alone counts.
    """

    def __init__(self, *, scales_loss: bool) -> None:
        self.scales_loss = scales_loss
        self.not_finite = 0
        self.without_gradient = 0

    def after(self, step: int, logs: dict[str, Any], model: Any) -> None:
        """With one more step. Raises Diverged or NothingLearned."""
        norm = logs.get("grad_norm")
        counted = [logs["loss"]] if self.scales_loss else [logs["loss"], norm]
        finite = all(math.isfinite(value) for value in counted if value is not None)
        self.not_finite = 0 if finite else self.not_finite + 1
        if self.not_finite >= MOST_NOT_FINITE:
            first = step - MOST_NOT_FINITE + 1
            raise Diverged(
                f"The loss or its gradient was not a number at steps {first} to {step}."
            )
        self.without_gradient = self.without_gradient + 1 if norm == 0 else 0
        if self.without_gradient >= MOST_WITHOUT_GRADIENT and not has_moved(model):
            raise NothingLearned(
                f"No weight moved by step {step}: the gradient was zero at every step."
            )


def require_sound(model: Any) -> None:
    """Raises Diverged or NothingLearned for weights that are not worth keeping."""
    if not is_finite(model):
        raise Diverged("After the last step the weights are not all numbers.")
    if not has_moved(model):
        raise NothingLearned("No weight moved in any step.")


def is_finite(model: Any) -> bool:
    """Whether all the weights that are trained are numbers."""
    trained = (p for p in model.parameters() if p.requires_grad)
    return all(bool(p.isfinite().all()) for p in trained)


def has_moved(model: Any) -> bool:
    """Whether the adapter does anything: B begins as zero, and B A with it."""
    named = model.named_parameters()
    return any(bool(weight.any()) for name, weight in named if "lora_B" in name)
