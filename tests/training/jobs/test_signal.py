"""What a base model's tokenizer and template make of a dataset, at every door."""

import pytest
from django.utils import timezone

from datasets.models import DatasetStatistics
from tests.training.jobs.test_api import body
from training.models import BaseModel, TrainingJob

MODEL = "tests/other"
PLAIN = {
    "exact": True, "examples": 22, "turns": 22, "tokens": 2200,
    "supervised_tokens": 1100, "refused_by_template": 0, "last_answer_only": 0,
    "lengths": [[100, 22]], "first_learned": [[50, 22]], "last_end": [[99, 22]],
}  # fmt: skip
REFUSED = {"refused_by_template": 15, "refusals": {"must alternate": 15}}
SEVEN = REFUSED | {
    "lengths": [[0, 15], [100, 7]],
    "never_lengths": [[0, 15]],
    "first_learned": [[-1, 15], [50, 7]],
}


@pytest.fixture
def counted(dataset):
    """Enters what was counted for the base model."""
    BaseModel.objects.create(pk=MODEL, name="other", source="hub")

    def enter(**changes):
        row = PLAIN | {"dataset": dataset, "base_model": MODEL} | changes
        DatasetStatistics.objects.create(measured_at=timezone.now(), **row)
        return body(dataset, base_model=MODEL, preset_id="custom")

    return enter


def asked(api, path, given):
    return api.post(f"/api/jobs{path}", given, format="json")


def test_steps_are_counted_by_the_chosen_model(api, counted, browser_of_owner):
    given = counted(**SEVEN)
    data = asked(api, "/estimate", given).json()["data"]
    job = asked(api, "", given).json()["data"]
    # Seven sequences in batches of four, three epochs; the default model's 1000 pairs.
    assert data["training_details"]["total_steps"] == job["total_steps"] == 2 * 3
    del given["base_model"]
    address = f"/training/configure?datasetId={given['dataset_id']}"
    page = browser_of_owner.get(f"{address}&base_model={MODEL}").content.decode()
    assert "<dt>Training pairs</dt><dd>7</dd>" in page
    assert "<dt>Tokens</dt><dd>2,200</dd>" in page
    other = asked(api, "/estimate", given).json()["data"]
    assert other["training_details"]["total_steps"] == 250 * 3


def test_packed_steps_are_counted_where_no_dimensions_are_known(api, counted):
    given = counted(**SEVEN)
    given["hyperparameters"] |= {"packing": True, "max_length": 350, "epochs": 1}
    given["hyperparameters"] |= {"batch_size": 1}
    data = asked(api, "/estimate", given).json()["data"]
    assert data["training_details"]["total_steps"] == 3
    assert any("7 sequences into 3 rows" in words for words in data["warnings"])


def test_a_warning_names_count_model_and_words_beside_the_estimate_and_above_start(
    api, counted, browser_of_owner, dataset
):
    given = counted(**SEVEN, unprinted={"call": 4})
    words = asked(api, "/estimate", given).json()["data"]["warnings"]
    assert any("15 of 22" in w and "must alternate" in w for w in words)
    assert any(w.startswith(f"4 of 22 examples, by {MODEL}: the chat") for w in words)
    address = f"/training/configure?datasetId={dataset.pk}&base_model={MODEL}"
    page = browser_of_owner.get(address).content.decode()
    assert page.count("does not print the tool calls") == 2
    review = page[page.index('id="review"') :]
    assert "15 of 22 examples are rejected" in review


@pytest.mark.parametrize(
    ("changes", "code", "words"),
    [
        (REFUSED | {"refused_by_template": 21}, "refused_by_template", "alternate"),
        ({"first_learned": [[-1, 22]], "never_lengths": [[100, 22]],
          "unprinted": {"answer": 22}}, "dataset_without_pairs", "leaves out"),
        ({"model_facts": {"vocabulary": 9, "highest_token": 9}}, "cannot_train",
         "Resize its embeddings"),
        ({"model_facts": {"has_end": False}}, "cannot_train", "Set eos_token"),
        ({"model_facts": {"model_type": "mamba"}}, "cannot_train", "state-space"),
        ({"model_facts": {"model_type": "gpt2", "positions": 64}}, "cannot_train",
         "Set max_length to 64"),
    ],
)  # fmt: skip
def test_a_job_that_comes_to_nothing_is_refused_before_it_is_queued(
    api, counted, browser_of_owner, dataset, changes, code, words
):
    answer = asked(api, "", counted(**changes))
    assert answer.status_code == 400
    assert answer.json()["code"] == code
    assert words in answer.json()["error"]
    assert not TrainingJob.objects.exists()
    address = f"/training/configure?datasetId={dataset.pk}&base_model={MODEL}"
    assert words in browser_of_owner.get(address).content.decode()


def test_a_model_that_peft_cannot_adapt_is_refused_before_it_is_counted(api, dataset):
    BaseModel.objects.create(pk=MODEL, name="m", source="hub", model_type="mamba2")
    answer = asked(api, "/estimate", body(dataset, base_model=MODEL))
    assert answer.status_code == 400
    assert "state-space" in answer.json()["details"]["base_model"][0]


def test_a_shorter_length_is_the_way_out_of_too_few_positions(api, counted):
    facts = {"model_type": "gpt2", "positions": 64}
    given = counted(model_facts=facts)
    given["hyperparameters"] |= {"max_length": 64}
    assert asked(api, "", given).status_code == 201


def test_figures_of_another_model_say_so(api, counted, dataset):
    DatasetStatistics.objects.all().delete()
    given = counted()
    DatasetStatistics.objects.all().delete()
    (said,) = [
        words
        for words in asked(api, "/estimate", given).json()["data"]["warnings"]
        if "tokenizer" in words
    ]
    assert MODEL in said
    dataset.measuring = {MODEL: 0.42}
    dataset.save()
    words = asked(api, "/estimate", given).json()["data"]["warnings"]
    assert any(f"being counted by {MODEL} (42%)" in one for one in words)
