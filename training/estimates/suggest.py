"""The suggested recipe of a dataset and base model, and the forecast of any recipe."""

from collections.abc import Mapping
from typing import Any

from datasets.models import Dataset
from training.domain.limits import LIMITS
from training.domain.schedule import steps_per_epoch
from training.domain.suggestion import Facts, forecast, suggest
from training.estimates.checked import CheckedConfig
from training.estimates.lengths import counts_of
from training.estimates.rules import require_statistics
from training.models import BaseModel


def recipe_facts(
    dataset: Dataset, model: BaseModel | None, *, max_length: int
) -> Facts:
    """What a suggestion rests on: the examples that this model trains on.

    Raises Refusal if there are none, or the dataset is not ready.
    """
    name = model.pk if model is not None else ""
    counts = counts_of(dataset, name)
    require_statistics(dataset, counts, max_length)
    dimensions = model.architecture if model is not None else None
    return Facts(
        pairs=counts.pairs_at(max_length),
        base_model=name,
        width=dimensions.hidden if dimensions is not None else None,
    )


def suggestion_answer(dataset: Dataset, model: BaseModel | None) -> dict[str, Any]:
    """The suggestion in the API's format: values, reasons and the number of steps.

    Raises Refusal as an estimate does.
    """
    length = int(LIMITS["max_length"].default)
    facts = recipe_facts(dataset, model, max_length=length)
    found = suggest(facts)
    values = {advice.name: advice.value for advice in found}
    a_pass = steps_per_epoch(
        training_pairs=facts.pairs, batch_size=int(values["batch_size"])
    )
    return {
        "base_model": facts.base_model,
        "preset_id": "custom",
        "hyperparameters": values,
        "reasons": {advice.name: advice.reason for advice in found},
        "total_steps": int(a_pass * values["epochs"]),
    }


def forecast_answer(
    dataset: Dataset, asked: CheckedConfig, answer: Mapping[str, Any]
) -> dict[str, str]:
    """What to expect of a recipe; `answer` is its estimate, which has the steps."""
    values = asked.config.hyperparameters
    found = forecast(
        values,
        facts=recipe_facts(dataset, asked.found.model, max_length=values.max_length),
        total_steps=answer["training_details"]["total_steps"],
    )
    return {"expected": found.expected, "sentence": found.sentence}
