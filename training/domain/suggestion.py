"""A recipe for one dataset and base model, and what to expect of any recipe.

The presets are fixed points; what a small set needs depends on how often its examples
are seen and how far each step moves the adapter. Both are judged here by one number,
the *push* of a recipe (see `push`).
"""

from dataclasses import dataclass
from math import ceil, floor, log10
from typing import Literal

from training.domain.config import Hyperparameters
from training.domain.limits import LIMITS, plain
from training.domain.schedule import steps_per_epoch

FULL_RATE = 5e-5
LORA_FACTOR = 10
WIDTH = 2000
FALL_OF_QWEN = 0.0775
FALL_OF_OTHERS = 0.781
"""Learning rate of LoRA: 10 x 5e-5 x (2000 / hidden width) ** fall.

Schulman et al. (2025), "LoRA Without Regret": over 14 models the best rate of LoRA is
about ten times that of full fine-tuning, and falls with the width, steeply for Llama
(exponent 0.781), hardly for Qwen (0.0775). They scale adapters by 32 / rank, we by 2.
"""
USUAL_RATE = 2e-4
"""For a base model of unknown width: what most published LoRA recipes begin with."""
SCHEDULE_MEAN = {"linear": 0.5, "cosine": 0.5}
"""Mean of the rate over a run, as a share of its peak; 1 for the constant ones."""
ENOUGH_STEPS = 100
MOST_EPOCHS = 10
FEWEST_EPOCHS = 3

HARDLY = 1.5
PARTLY = 5.0
"""Pushes below which a recipe hardly teaches, or teaches in part.

Validation loss of SmolLM2-135M after 54 chats, by push: 0.35: 2.57 (fast), 1.05: 1.84
(balanced), 2.0: 0.55 (quality), 10.5: 0.30, 21: 0.18, 56: 0.009 (the suggestion), from
3.05 before. One kind of chats and one model: larger ones may need less.
"""
MANY_EPOCHS = 12
Expected = Literal["hardly", "partly", "learned", "by_heart"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Facts:
    """What a suggestion rests on.

    `pairs`: training examples after the split; `width`: hidden size of the base model,
    None if unknown; `base_model`: its id, which tells the family.
    """

    pairs: int
    base_model: str
    width: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Advice:
    """One suggested value and why."""

    name: str
    value: int | float
    reason: str


def suggest(facts: Facts) -> list[Advice]:
    """Learning rate, batch size, epochs, rank and alpha, each with its reason."""
    batch = _batch_size(facts.pairs)
    rank = _rank(facts.pairs)
    return [
        _rate(facts),
        batch,
        _epochs(facts.pairs, int(batch.value)),
        rank,
        Advice(name="alpha", value=2 * rank.value, reason="Twice the rank, as usual."),
    ]


def best_rate(facts: Facts) -> float:
    """The learning rate for the model's width and family, within the accepted range."""
    if facts.width is None:
        return USUAL_RATE
    is_qwen = "qwen" in facts.base_model.lower()
    fall = FALL_OF_QWEN if is_qwen else FALL_OF_OTHERS
    rate = LORA_FACTOR * FULL_RATE * (WIDTH / facts.width) ** fall
    limit = LIMITS["learning_rate"]
    return _one_digit(min(max(rate, limit.minimum), limit.maximum))


def _one_digit(value: float) -> float:
    """The nearest number with one significant digit."""
    return round(value, -floor(log10(value)))


def _rate(facts: Facts) -> Advice:
    rate = best_rate(facts)
    if facts.width is None:
        reason = "What most LoRA recipes begin with; this model's width is unknown."
    else:
        reason = (
            "LoRA learns best at about ten times the rate of full fine-tuning; for a "
            f"model {facts.width:,} wide that is about {plain(rate)}."
        )
    return Advice(name="learning_rate", value=rate, reason=reason)


def _batch_size(pairs: int) -> Advice:
    if pairs < 1000:
        reason = "Few examples: small batches give more steps an epoch."
        return Advice(name="batch_size", value=4, reason=reason)
    size = 8 if pairs < 10_000 else 16
    reason = f"{pairs:,} examples give enough steps with larger, steadier batches."
    return Advice(name="batch_size", value=size, reason=reason)


def _epochs(pairs: int, batch_size: int) -> Advice:
    a_pass = steps_per_epoch(training_pairs=max(pairs, 1), batch_size=batch_size)
    if a_pass >= 10 * ENOUGH_STEPS:
        reason = f"One pass is {a_pass:,} steps already."
        return Advice(name="epochs", value=1, reason=reason)
    epochs = min(max(ceil(ENOUGH_STEPS / a_pass), FEWEST_EPOCHS), MOST_EPOCHS)
    reason = (
        f"{epochs * a_pass:,} steps: {a_pass} a pass, and about {ENOUGH_STEPS} are "
        "needed to learn."
    )
    return Advice(name="epochs", value=epochs, reason=reason)


def _rank(pairs: int) -> Advice:
    """16, more where there is more to hold (about a bit a learned token)."""
    rank = 16 if pairs < 5_000 else 32 if pairs < 50_000 else 64
    reason = f"Enough capacity for {pairs:,} examples."
    return Advice(name="rank", value=rank, reason=reason)


def push(values: Hyperparameters, *, total_steps: int, rate: float) -> float:
    """How far a recipe can move the adapter, in steps at the suggested rate.

    total_steps x mean learning rate / suggested rate: AdamW's steps have about the
    size of the learning rate, whatever that of the gradient.
    """
    mean = values.learning_rate * SCHEDULE_MEAN.get(values.scheduler, 1.0)
    return total_steps * mean / rate


@dataclass(frozen=True, slots=True, kw_only=True)
class Forecast:
    """What to expect of a recipe, in one sentence."""

    expected: Expected
    sentence: str


def forecast(values: Hyperparameters, *, facts: Facts, total_steps: int) -> Forecast:
    """What a recipe will do to this dataset; `total_steps` as the estimate counts."""
    strength = push(values, total_steps=total_steps, rate=best_rate(facts))
    steps = "1 step" if total_steps == 1 else f"{total_steps:,} steps"
    at = f"{steps} at a learning rate of {plain(values.learning_rate)}"
    if strength < HARDLY:
        return Forecast(
            expected="hardly", sentence=f"{at} will hardly change the model."
        )
    if strength < PARTLY:
        return Forecast(
            expected="partly", sentence=f"{at} will learn only part of the dataset."
        )
    if values.epochs >= MANY_EPOCHS and facts.pairs < 1000:
        sentence = (
            f"{values.epochs} epochs on {facts.pairs:,} examples will learn them by "
            "heart: watch the validation loss."
        )
        return Forecast(expected="by_heart", sentence=sentence)
    return Forecast(
        expected="learned", sentence=f"{at} are enough to learn the dataset."
    )
