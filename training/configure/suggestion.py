"""The suggested recipe as the configuration page shows it."""

from dataclasses import dataclass
from urllib.parse import urlencode

from datasets.models import Dataset
from lora_pipeline.errors import Refusal
from training.configure.forms import ConfigureForm, form_text
from training.domain.limits import plain
from training.domain.setting_labels import SETTINGS
from training.estimates.suggest import suggestion_answer
from training.models import BaseModel


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """Values with reasons, the query string that applies them, and if they hold."""

    rows: tuple[tuple[str, str, str], ...]
    change: str
    is_chosen: bool
    total_steps: int


def suggestion_panel(
    dataset: Dataset, model: BaseModel | None, form: ConfigureForm
) -> Suggestion | None:
    """None where there is nothing to train on: the estimate says why."""
    try:
        answer = suggestion_answer(dataset, model)
    except Refusal:
        return None
    values, reasons = answer["hyperparameters"], answer["reasons"]
    texts = {name: form_text(name, value) for name, value in values.items()}
    return Suggestion(
        rows=tuple(
            (SETTINGS[name].label, plain(value), reasons[name])
            for name, value in values.items()
        ),
        change=urlencode(texts),
        is_chosen=all(_same(form[name].value(), values[name]) for name in values),
        total_steps=answer["total_steps"],
    )


def _same(text: object, value: float) -> bool:
    """Whether a box holds the value, however it is written."""
    try:
        return float(str(text)) == value
    except ValueError:
        return False
