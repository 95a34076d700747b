"""The learning rate of every step."""

from collections.abc import Callable
from typing import Any

from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR
from transformers import get_scheduler

CONSTANT, CONSTANT_WITH_WARMUP = "constant", "constant_with_warmup"


def scheduled(
    optimizer: Optimizer, name: str, *, warmup_steps: int, steps: int
) -> LambdaLR:
    """transformers' schedule of this name, but for the warm-up.

    Step k of w warm-up steps gets k/w of the learning rate; transformers gives it
    (k-1)/w, so its first step learns nothing, and a run of one step nothing at all.
    After the warm-up the rates are transformers' own. `constant` warms up too.
    """
    known = CONSTANT_WITH_WARMUP if name == CONSTANT else name
    made = get_scheduler(
        known,
        optimizer=optimizer,
        num_warmup_steps=warmup_steps,
        num_training_steps=steps,
    )
    shares = [warmed_up(share, warmup_steps) for share in made.lr_lambdas]
    return LambdaLR(optimizer, shares)


def warmed_up(share: Callable[[int], Any], warmup_steps: int) -> Callable[[int], float]:
    """A schedule's share of the learning rate by step, counted from 0."""

    def of(step: int) -> float:
        if step < warmup_steps:
            return (step + 1) / warmup_steps
        return float(share(step))

    return of
