"""The suggested recipe of a dataset and base model, and the forecast of any recipe."""

from collections.abc import Mapping
from typing import Any

from datasets.models import Dataset
from training.domain.schedule import steps_per_epoch
from training.domain.suggestion import Facts, forecast, suggest
from training.estimates.checked import CheckedConfig
from training.models import BaseModel


def facts_of(dataset: Dataset, model: BaseModel | None) -> Facts:
    """What a suggestion for these rows rests on."""
    dimensions = model.architecture if model is not None else None
    return Facts(
        pairs=dataset.total_training_pairs or 0,
        base_model=model.pk if model is not None else "",
        width=dimensions.hidden if dimensions is not None else None,
    )


def suggestion_answer(dataset: Dataset, model: BaseModel | None) -> dict[str, Any]:
    """The suggestion in the API's format: values, reasons and the number of steps."""
    facts = facts_of(dataset, model)
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
    found = forecast(
        asked.config.hyperparameters,
        facts=facts_of(dataset, asked.found.model),
        total_steps=answer["training_details"]["total_steps"],
    )
    return {"expected": found.expected, "sentence": found.sentence}
