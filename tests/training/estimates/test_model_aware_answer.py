"""The estimate of a named model: what the answer adds, and what a job makes of it."""

import pytest

from tests.training.jobs.test_api import body
from training.estimates import calibration
from training.estimates.calibration import MEMORY, TIME
from training.models import BaseModel, CalibrationCell, GpuType, TrainingJob

SMOL = "HuggingFaceTB/SmolLM2-135M-Instruct"
LLAMA = "meta-llama/Llama-3.1-8B-Instruct"
LLAMA_70B = "meta-llama/Llama-3.3-70B-Instruct"
MIXTRAL = "mistralai/Mixtral-8x7B-Instruct-v0.1"


@pytest.fixture(autouse=True)
def nothing_kept():
    calibration.forget()
    yield
    calibration.forget()


def estimated(api, dataset, **changes):
    answer = api.post("/api/jobs/estimate", body(dataset, **changes), format="json")
    assert answer.status_code == 200, answer.json()
    return answer.json()["data"]


def with_values(dataset, **values):
    return body(dataset)["hyperparameters"] | values


def test_a_named_model_adds_interval_memory_plan_and_the_catalogue(api, dataset):
    data = estimated(api, dataset, base_model=LLAMA)
    assert data["basis"] == "model"
    for unit in ("hours", "cost"):
        ends = data["interval"][unit]
        assert ends["low"] < ends["expected"] < ends["high"]
    assert data["interval"]["cost"]["expected"] == data["estimated_cost"]
    assert data["interval"]["hours"]["expected"] == data["estimated_duration_hours"]
    parts = data["duration_parts_seconds"]
    hours = sum(parts.values()) / 3600
    assert hours == pytest.approx(data["estimated_duration_hours"], abs=0.006)
    memory = data["memory"]
    assert (memory["verdict"], memory["change"]) == ("fits", None)
    assert memory["available_gib"] == 79.15
    total = sum(memory["parts_gib"].values())
    assert total == pytest.approx(memory["required_gib"], abs=0.03)
    assert data["plan"]["micro_batch"] * data["plan"]["processes"] <= 4
    assert data["evidence"]["similar_runs"] == 0
    catalogue = data["catalogue"]
    assert (catalogue["basis"], catalogue["estimated_cost"]) == ("catalogue", 4.65)
    assert catalogue["training_details"]["total_steps"] == 750


def test_without_a_model_the_answer_is_the_catalogue_formula_and_nothing_more(
    api, dataset
):
    data = estimated(api, dataset)
    assert data["basis"] == "catalogue"
    assert not {"interval", "memory", "catalogue", "plan"} & set(data)


def test_a_model_of_unknown_dimensions_gets_the_catalogue_and_is_told(api, dataset):
    BaseModel.objects.create(id="own/new", name="new", source="hub")
    data = estimated(api, dataset, base_model="own/new")
    assert (data["basis"], data["estimated_cost"]) == ("catalogue", 4.65)
    assert any("add_base_model" in words for words in data["warnings"])
    assert any("tokenizer of own/new is not on" in words for words in data["warnings"])


def test_what_does_not_fit_says_what_would(api, dataset):
    data = estimated(api, dataset, base_model=LLAMA_70B)
    assert data["memory"]["verdict"] == "does_not_fit"
    change = data["memory"]["change"]
    assert change["hyperparameters"] == {"method": "qlora"}
    values = with_values(dataset, **change["hyperparameters"])
    again = estimated(api, dataset, base_model=LLAMA_70B, hyperparameters=values)
    assert again["memory"]["verdict"] == "fits"
    assert again["plan"]["method"] == "qlora"


def test_a_job_that_does_not_fit_needs_confirmation(api, dataset):
    wanted = body(dataset, preset_id="custom", base_model=LLAMA_70B)
    answer = api.post("/api/jobs", wanted, format="json")
    assert answer.status_code == 409
    error = answer.json()
    assert error["code"] == "does_not_fit"
    assert error["details"]["memory"]["change"]["hyperparameters"]
    assert not TrainingJob.objects.exists()
    confirmed = api.post("/api/jobs", wanted | {"confirm_memory": True}, "json")
    assert confirmed.status_code == 201


def test_a_job_keeps_its_plan_and_is_held_to_the_upper_end(api, dataset):
    wanted = body(dataset, preset_id="custom", base_model=LLAMA)
    made = api.post("/api/jobs", wanted, format="json").json()["data"]
    job = TrainingJob.objects.get()
    assert job.plan["micro_batch"] * job.plan["gradient_accumulation"] == 2
    assert job.estimated_high_cost > job.estimated_total_cost
    assert made["estimate"]["seconds"]["high"] > made["estimate"]["seconds"]["low"]


def test_the_upper_end_of_the_interval_is_what_the_budget_must_hold(
    api, dataset, owner
):
    type(owner).objects.update(monthly_budget_usd="1.00")
    wanted = body(dataset, preset_id="custom", base_model=LLAMA)
    error = api.post("/api/jobs", wanted, format="json")
    high = estimated(api, dataset, base_model=LLAMA)["interval"]["cost"]["high"]
    assert error.status_code == 402
    assert error.json()["details"]["needed_usd"] == high


@pytest.mark.parametrize(
    ("values", "field", "words"),
    [
        ({"micro_batch": 3}, "micro_batch", "must divide 2"),
        ({"micro_batch": 0}, "micro_batch", "1 to 64"),
        ({"method": "full"}, "method", "lora, qlora"),
        ({"packing": "yes"}, "packing", "true or false"),
        ({"gradient_checkpointing": 1}, "gradient_checkpointing", "true or false"),
    ],
)
def test_a_faulty_method_option_is_refused_by_name(api, dataset, values, field, words):
    wanted = body(dataset, hyperparameters=with_values(dataset, **values))
    answer = api.post("/api/jobs/estimate", wanted, format="json")
    assert answer.status_code == 400
    assert words in answer.json()["details"][f"hyperparameters.{field}"][0]


def test_a_mixture_cannot_be_quantised(api, dataset):
    values = with_values(dataset, method="qlora")
    wanted = body(dataset, base_model=MIXTRAL, hyperparameters=values)
    answer = api.post("/api/jobs/estimate", wanted, format="json")
    assert "experts" in answer.json()["details"]["hyperparameters.method"][0]


def test_chosen_options_are_in_the_plan(api, dataset):
    values = with_values(
        dataset,
        method="qlora",
        packing=True,
        gradient_checkpointing=True,
        micro_batch=1,
    )
    data = estimated(api, dataset, base_model=LLAMA, hyperparameters=values)
    assert data["plan"] == {
        "method": "qlora",
        "packing": True,
        "gradient_checkpointing": True,
        "micro_batch": 1,
        "gradient_accumulation": 2,
        "processes": 2,
    }


def test_packing_counts_steps_in_rows_and_says_so(api, dataset):
    # 1 000 pairs of 400 tokens: two fit into a row of 1 024, so 500 rows, 125 steps.
    values = with_values(dataset, packing=True)
    for model in ({"base_model": SMOL}, {}):
        data = estimated(api, dataset, hyperparameters=values, **model)
        assert data["training_details"]["steps_per_epoch"] == 125
        assert "500 rows" in data["warnings"][0]


def test_finished_runs_move_the_estimate_and_narrow_it(api, dataset):
    before = estimated(api, dataset, base_model=SMOL)
    job = api.post(
        "/api/jobs", body(dataset, preset_id="custom", base_model=SMOL), format="json"
    ).json()["data"]
    for target, name in ((TIME, "time"), (MEMORY, "memory_cell")):
        cell = job["estimate"][name]["cell"]
        CalibrationCell.objects.create(
            target=target, key=cell, count=8, total=4.0, squares=2.0
        )
    after = estimated(api, dataset, base_model=SMOL)
    assert after["basis"] == "measured"
    assert after["evidence"]["similar_runs"] == 8
    assert after["memory"]["required_gib"] > 1.3 * before["memory"]["required_gib"]
    steps = [e["duration_parts_seconds"]["training"] for e in (before, after)]
    assert steps[1] == pytest.approx(1.65 * steps[0], rel=0.05)


def test_an_estimate_takes_four_queries_and_no_more_with_runs_behind_it(
    api, dataset, django_assert_num_queries
):
    CalibrationCell.objects.create(
        target=TIME, key=["CPU"] * 6, count=3, total=0.3, squares=0.03
    )
    first = estimated(api, dataset, base_model=SMOL)
    with django_assert_num_queries(4):
        again = estimated(api, dataset, base_model=SMOL)
    assert again == first


def test_disabled_types_are_not_offered_and_must_be_priced_first(api, dataset):
    names = [gpu["name"] for gpu in api.get("/api/gpus").json()["data"]["gpus"]]
    assert set(names) == {"A100-80GB", "A100-40GB", "H100", "V100-32GB", "CPU"}
    h200 = GpuType.objects.get(pk="H200")
    assert (h200.enabled, h200.usd_per_hour) == (False, 0)
    h200.enabled = True
    with pytest.raises(Exception, match=r"Set a price.*4\.00"):
        h200.full_clean()
