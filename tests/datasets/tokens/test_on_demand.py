"""A dataset is counted for a base model when it is first asked about."""

import json
import shutil
from datetime import timedelta

import pytest
from django.utils import timezone

from datasets.models import Dataset
from datasets.tokens import on_demand
from tests.datasets.api.test_content import ready
from training.estimates.lengths import to_estimate
from training.models import BaseModel

MODEL = "tests/counted"
TEMPLATE = (
    "{% for m in messages %}{{ m.role }}: {{ m.content }}<|end|>{% endfor %}"
    "{% if add_generation_prompt %}assistant: {% endif %}"
)


@pytest.fixture
def model(tmp_path):
    """A word tokenizer with a template, entered as a base model."""
    from tokenizers import Tokenizer, models, pre_tokenizers

    made = Tokenizer(models.WordLevel({"[UNK]": 0}, unk_token="[UNK]"))
    made.pre_tokenizer = pre_tokenizers.Whitespace()
    made.add_special_tokens(["<|end|>"])
    made.save(str(tmp_path / "tokenizer.json"))
    config = {"chat_template": TEMPLATE, "eos_token": "<|end|>"}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    (tmp_path / "config.json").write_text('{"model_type": "llama", "vocab_size": 2}')
    yield BaseModel.objects.create(pk=MODEL, name="m", path=str(tmp_path))
    shutil.rmtree(tmp_path)


@pytest.fixture
def queued(monkeypatch):
    asked: list[str] = []
    monkeypatch.setattr(
        on_demand,
        "queue_measuring",
        lambda dataset, base_model: asked.append(base_model),
    )
    return asked


def test_a_small_dataset_is_counted_while_its_owner_waits(owner, model, queued):
    dataset = ready(owner)
    found = to_estimate(owner, dataset.pk, MODEL)
    counts = found.counts_for(MODEL, "")
    assert (counts.base_model, counts.exact) == (MODEL, True)
    assert counts.pairs_at(1024) == counts.examples > 0
    assert counts.facts.vocabulary == 2
    assert counts.facts.highest_token == 1
    assert not queued


def test_a_large_one_is_left_to_the_worker_and_asked_for_once(
    owner, model, queued, monkeypatch
):
    monkeypatch.setattr(on_demand, "AT_ONCE_BYTES", 10)
    dataset = ready(owner)
    to_estimate(owner, dataset.pk, MODEL)
    assert queued == [MODEL]
    rows = Dataset.objects.filter(pk=dataset.pk)
    rows.update(measuring={MODEL: 0.1}, updated_at=timezone.now())
    to_estimate(owner, dataset.pk, MODEL)
    assert queued == [MODEL]
    rows.update(updated_at=timezone.now() - timedelta(hours=1))
    to_estimate(owner, dataset.pk, MODEL)
    assert queued == [MODEL, MODEL]


def test_one_that_takes_too_long_is_left_to_the_worker(
    owner, model, queued, monkeypatch
):
    monkeypatch.setattr(on_demand, "AT_ONCE_SECONDS", -1.0)
    dataset = ready(owner)
    to_estimate(owner, dataset.pk, MODEL)
    assert queued == [MODEL]
    assert dataset.statistics.of_model(MODEL) is None


def test_a_model_whose_tokenizer_is_not_here_is_not_counted(owner, queued):
    BaseModel.objects.create(pk=MODEL, name="m", source="hub")
    dataset = ready(owner)
    found = to_estimate(owner, dataset.pk, MODEL)
    assert found.counts_for(MODEL, "").base_model != MODEL
    assert not queued
