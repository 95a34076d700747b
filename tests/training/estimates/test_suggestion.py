"""The suggested recipe, by API and on the configuration page."""

import pytest
from django.utils import timezone

from datasets.domain.statistics import NEVER
from datasets.models import DatasetStatistics
from tests.factories import DatasetFactory
from tests.openapi import conforms

SMOL = "HuggingFaceTB/SmolLM2-135M-Instruct"
PATH = "/api/jobs/suggest"


@pytest.fixture
def few(owner):
    return DatasetFactory(
        user=owner, total_training_pairs=54, total_validation_pairs=6, total_tokens=9000
    )


def suggested(client, dataset, **more):
    body = {"dataset_id": str(dataset.pk)} | more
    return client.post(PATH, body, format="json")


def test_a_recipe_comes_with_its_reasons(api, few):
    found = conforms(suggested(api, few, base_model=SMOL), "POST", PATH)["data"]
    assert found["base_model"] == SMOL
    assert found["hyperparameters"]["learning_rate"] == pytest.approx(0.001)
    assert found["total_steps"] == 14 * found["hyperparameters"]["epochs"]
    assert set(found["reasons"]) == set(found["hyperparameters"])


def test_a_job_takes_the_suggestion_and_is_said_to_learn(api, few):
    values = suggested(api, few, base_model=SMOL).json()["data"]["hyperparameters"]
    body = {
        "dataset_id": str(few.pk),
        "base_model": SMOL,
        "gpu_config": {"type": "CPU", "count": 1},
        "hyperparameters": values,
    }
    answer = api.post("/api/jobs/estimate", body, format="json")
    assert answer.json()["data"]["forecast"]["expected"] == "learned"
    body["hyperparameters"] |= {"learning_rate": 0.00005, "epochs": 3}
    answer = api.post("/api/jobs/estimate", body, format="json")
    forecast = answer.json()["data"]["forecast"]
    assert forecast["expected"] == "hardly"
    assert forecast["sentence"].startswith("42 steps at a learning rate of 0.00005")


def test_examples_that_the_models_template_rejects_are_not_counted(api, few):
    DatasetStatistics.objects.create(
        dataset=few,
        base_model=SMOL,
        exact=True,
        turns=108,
        supervised_tokens=3000,
        last_answer_only=0,
        last_end=[],
        measured_at=timezone.now(),
        examples=54,
        tokens=9000,
        refused_by_template=34,
        lengths=[[166, 54]],
        first_learned=[[5, 20], [NEVER, 34]],
        never_lengths=[[166, 34]],
    )
    found = suggested(api, few, base_model=SMOL).json()["data"]
    assert found["total_steps"] == 5 * found["hyperparameters"]["epochs"]
    assert "20 examples" in found["reasons"]["rank"]


def test_without_examples_there_is_nothing_to_suggest(api, owner):
    empty = DatasetFactory(user=owner, total_training_pairs=0)
    answer = suggested(api, empty)
    assert answer.status_code == 400
    assert "training pair" in answer.json()["error"]


def test_another_users_dataset_is_not_found(stranger_api, few):
    assert suggested(stranger_api, few).status_code == 404


def test_an_unknown_model_and_an_unknown_key_are_named(api, few):
    details = suggested(api, few, base_model="no/such").json()["details"]
    assert "Received 'no/such'" in details["base_model"][0]
    details = suggested(api, few, model=SMOL).json()["details"]
    assert "model" in details


def page(browser, dataset, **values):
    query = {"datasetId": str(dataset.pk), "base_model": SMOL, "gpu_type": "CPU"}
    return browser.get("/training/configure", query | values).content.decode()


def test_the_page_warns_of_a_recipe_that_hardly_teaches_and_offers_another(
    browser_of_owner, few
):
    text = page(browser_of_owner, few)
    assert "will hardly change the model" in text
    assert text.count("learning_rate=0.001&amp;batch_size=4&amp;epochs=8") == 2
    assert "Why these values" in text


def test_one_click_applies_it(browser_of_owner, few):
    change = "learning_rate=0.001&batch_size=4&epochs=8&rank=16&alpha=32"
    sent = {"datasetId": str(few.pk), "apply_change": change, "base_model": SMOL}
    answer = browser_of_owner.post("/training/configure", sent)
    text = browser_of_owner.get(answer.url).content.decode()
    assert "In use" in text
    assert "are enough to learn the dataset" in text
    assert 'id="apply-suggestion"' not in text


@pytest.mark.parametrize("amount", ["-1", "ten", "0.00001", "100000000", "1e999"])
def test_a_cost_cap_that_is_none_is_refused_in_our_own_words(
    browser_of_owner, few, amount
):
    text = page(browser_of_owner, few, max_cost=amount)
    assert "Enter an amount in USD from 0 to 99,999,999.9999" in text
    assert "Ensure" not in text
