"""Method options and the confirmation: what the form refuses, the API refuses too."""

import pytest

from tests.training.jobs.test_api import body
from training.models import BaseModel, TrainingJob

LLAMA_70B = "meta-llama/Llama-3.3-70B-Instruct"
MIXTRAL = "mistralai/Mixtral-8x7B-Instruct-v0.1"
FORM = {
    "preset_id": "custom",
    "gpu_type": "A100-80GB",
    "gpu_count": "2",
    "learning_rate": "0.00005",
    "batch_size": "4",
    "epochs": "3",
    "rank": "16",
    "dropout": "0.05",
    "start": "",
}


@pytest.fixture
def both(browser_of_owner, api, dataset):
    """Asks form and API, and answers what both say."""

    def ask(form, inside, **beside) -> int:
        sent = FORM | {"datasetId": str(dataset.pk)} | form
        page = browser_of_owner.post("/training/configure", sent).status_code
        wanted = body(dataset, preset_id="custom", **beside)
        wanted["hyperparameters"] = wanted["hyperparameters"] | inside
        answer = api.post("/api/jobs", wanted, format="json").status_code
        assert {302: 201, 422: 400}.get(page, page) == answer
        jobs = list(TrainingJob.objects.values("hyperparameters", "plan"))
        assert len(jobs) == (2 if answer == 201 else 0)
        assert jobs[:1] == jobs[1:]
        return answer

    return ask


@pytest.mark.parametrize(
    ("name", "typed", "sent", "code"),
    [
        ("micro_batch", "2", 2, 201),
        ("micro_batch", "", None, 201),
        ("micro_batch", "3", 3, 400),
        ("micro_batch", "0", 0, 400),
        ("micro_batch", "65", 65, 400),
        ("micro_batch", "1.5", 1.5, 400),
        ("method", "qlora", "qlora", 201),
        ("method", "full", "full", 400),
        ("packing", "on", True, 201),
        ("packing", "off", False, 201),
        ("packing", "maybe", "maybe", 400),
        ("use_rslora", "on", True, 201),
        ("use_rslora", "yes", "yes", 400),
        ("weight_decay", "0.1", 0.1, 201),
        ("weight_decay", "1.1", 1.1, 400),
        ("weight_decay", "-0.1", -0.1, 400),
        ("max_grad_norm", "0", 0, 201),
        ("max_grad_norm", "101", 101, 400),
        ("neftune_noise_alpha", "5", 5, 201),
        ("neftune_noise_alpha", "", None, 201),
        ("neftune_noise_alpha", "0", 0, 400),
        ("warmup_steps", "0", 0, 201),
        ("warmup_steps", "", None, 201),
        ("warmup_steps", "-1", -1, 400),
        ("scheduler", "inverse_sqrt", "inverse_sqrt", 201),
        ("scheduler", "reduce_lr_on_plateau", "reduce_lr_on_plateau", 400),
        ("eval_steps", "10", 10, 201),
        ("eval_steps", "", None, 201),
        ("eval_steps", "0", 0, 400),
        ("eval_steps", "2.5", 2.5, 400),
        ("early_stopping_patience", "3", 3, 201),
        ("early_stopping_patience", "", None, 201),
        ("early_stopping_patience", "0", 0, 400),
        ("early_stopping_patience", "101", 101, 400),
        ("early_stopping_threshold", "0.01", 0.01, 201),
        ("early_stopping_threshold", "-1", -1, 400),
        ("early_stopping_threshold", "11", 11, 400),
        ("load_best_model_at_end", "on", True, 201),
        ("load_best_model_at_end", "maybe", "maybe", 400),
        ("gradient_checkpointing", "auto", None, 201),
        ("gradient_checkpointing", "on", True, 201),
        ("gradient_checkpointing", "off", False, 201),
        ("gradient_checkpointing", "maybe", "maybe", 400),
    ],
)
def test_a_method_option_is_judged_alike(both, name, typed, sent, code):
    assert both({name: typed}, {name: sent}) == code


@pytest.mark.parametrize(
    ("name", "typed", "sent"),
    [("early_stopping_patience", "3", 3), ("load_best_model_at_end", "on", True)],
)
def test_what_needs_a_validation_loss_is_refused_without_one(
    both, dataset, name, typed, sent
):
    dataset.total_validation_pairs = 0
    dataset.save(update_fields=["total_validation_pairs"])
    assert both({name: typed}, {name: sent}) == 400


def test_a_mixture_is_quantised_by_neither(both):
    form = {"base_model": MIXTRAL, "method": "qlora"}
    assert both(form, {"method": "qlora"}, base_model=MIXTRAL) == 400


@pytest.mark.parametrize(
    ("model_type", "code"), [("falcon", 400), ("gpt_oss", 400), ("llama", 201)]
)
def test_a_model_whose_packed_sequences_leak_is_packed_by_neither(
    both, model_type, code
):
    BaseModel.objects.create(id="some/model", name="some", model_type=model_type)
    form = {"base_model": "some/model", "packing": "on"}
    assert both(form, {"packing": True}, base_model="some/model") == code


def test_the_type_of_a_folder_is_read_from_its_config(both, tmp_path):
    (tmp_path / "config.json").write_text('{"model_type": "opt"}')
    kept = {"source": "folder", "path": str(tmp_path)}
    BaseModel.objects.create(id="some/folder", name="some", **kept)
    form = {"base_model": "some/folder", "packing": "on"}
    assert both(form, {"packing": True}, base_model="some/folder") == 400


def test_what_does_not_fit_is_confirmed_at_both(both):
    form = {"base_model": LLAMA_70B}
    assert both(form, {}, base_model=LLAMA_70B) == 409
    confirmed = form | {"confirm_memory": "on"}
    code = both(confirmed, {}, base_model=LLAMA_70B, confirm_memory=True)
    assert code == 201
