"""The form and the API refuse the same inputs, field by field, value by value."""

import math
from typing import Any

import pytest
from django.utils import timezone
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.factories import DatasetFactory
from training.domain.limits import GPU_COUNT, LIMITS, REQUIRED, SCHEDULERS, Limit
from training.domain.presets import PRESET_IDS
from training.models import BaseModel, GpuType, TrainingJob

MODEL = "HuggingFaceTB/SmolLM2-135M-Instruct"
LEFT_OUT = None
GOOD: dict[str, Any] = {
    "gpu_type": "A100-80GB",
    "gpu_count": 2,
    "learning_rate": 0.00005,
    "batch_size": 4,
    "epochs": 3,
    "rank": 16,
    "preset_id": "custom",
}


class Doors:
    """Both ways to start a job, asked with the same values."""

    def __init__(self, browser: Any, api: Any, dataset: Any) -> None:
        self.browser, self.api, self.dataset = browser, api, dataset

    def by_form(self, values: dict[str, Any]) -> bool:
        """Whether the form takes them; a box left empty stands for a field left out."""
        texts = {name: text(value) for name, value in values.items()}
        sent = texts | {"datasetId": str(self.dataset.pk), "start": ""}
        answer = self.browser.post("/training/configure", sent)
        assert answer.status_code in (302, 400, 404, 422), answer.status_code
        return answer.status_code == 302 and "/training/jobs/" in answer.url

    def by_api(self, values: dict[str, Any]) -> bool:
        given = {name: v for name, v in values.items() if v is not LEFT_OUT}
        gpu = {
            k: given.pop(f"gpu_{k}") for k in ("type", "count") if f"gpu_{k}" in given
        }
        inside = {k: given.pop(k) for k in (*LIMITS, "scheduler") if k in given}
        body = {"dataset_id": str(self.dataset.pk), "gpu_config": gpu}
        body |= {"hyperparameters": inside} | given
        answer = self.api.post("/api/jobs", body, format="json")
        assert answer.status_code in (201, 400, 404), answer.content
        return answer.status_code == 201

    def agree(self, **values: Any) -> bool:
        """What both say; fails when they differ."""
        asked = GOOD | values
        form, api = self.by_form(asked), self.by_api(asked)
        assert form == api, f"form {form}, API {api}: {values}"
        assert TrainingJob.objects.count() == 2 * form
        TrainingJob.objects.all().delete()
        return form


def text(value: Any) -> str:
    """A value as somebody would type it."""
    if value is LEFT_OUT:
        return ""
    return str(value)


@pytest.fixture
def doors(browser_of_owner, api, dataset) -> Doors:
    return Doors(browser_of_owner, api, dataset)


NUMBERS: dict[str, Limit] = LIMITS | {"gpu_count": GPU_COUNT}
NEEDED = {*REQUIRED, "gpu_count"}


def around(limit: Limit) -> list[tuple[float, bool]]:
    """Each bound, the next value beyond it, and the next one inside."""
    low, high = limit.minimum, limit.maximum
    step = 1 if limit.whole else limit.maximum / 1000
    tiny = [(low - 1e-9, False), (high + 1e-9, False)] if not limit.whole else []
    return [
        (low, True),
        (high, True),
        (low + step, True),
        (high - step, True),
        (low - step, False),
        (high + step, False),
        (-high, False),
        (high * 1000, False),
        *tiny,
    ]


def cases() -> list[Any]:
    return [
        pytest.param(name, value, expected, id=f"{name}={value}")
        for name, limit in NUMBERS.items()
        for value, expected in around(limit)
    ]


@pytest.mark.parametrize(("name", "value", "expected"), cases())
def test_the_values_around_each_bound_are_judged_alike(name, value, expected, doors):
    assert doors.agree(**{name: value}) is expected


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize(
    "value",
    ["four", "NaN", "-inf", "1e999", "0x10", "4,5", "4\0"],
)
def test_what_is_no_number_is_refused_by_both(name, value, doors):
    assert doors.agree(**{name: value}) is False


@pytest.mark.parametrize("name", [n for n, limit in NUMBERS.items() if limit.whole])
def test_a_fraction_of_a_count_is_refused_by_both(name, doors):
    assert doors.agree(**{name: NUMBERS[name].minimum + 0.5}) is False


@pytest.mark.parametrize("name", [n for n, limit in NUMBERS.items() if limit.whole])
def test_a_whole_number_with_a_point_is_taken_by_both(name, doors):
    value = float(NUMBERS[name].minimum)
    texts = GOOD | {name: f"{value:.1f}"}
    assert doors.by_form(texts)
    assert doors.by_api(GOOD | {name: value})


@pytest.mark.parametrize("name", NUMBERS)
def test_a_number_left_out_is_required_by_both_or_filled_in_by_both(name, doors):
    assert doors.agree(**{name: LEFT_OUT}) is (name not in NEEDED)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        *(("preset_id", preset, True) for preset in PRESET_IDS),
        ("preset_id", "best", False),
        ("preset_id", "Fast", False),
        ("preset_id", LEFT_OUT, False),
        *(("scheduler", scheduler, True) for scheduler in SCHEDULERS),
        ("scheduler", "steep", False),
        ("scheduler", " linear", False),
        ("scheduler", LEFT_OUT, True),
        ("gpu_type", "H100", True),
        ("gpu_type", "B900", False),
        ("gpu_type", "h100", False),
        ("gpu_type", " H100", False),
        ("gpu_type", "H100\0", False),
        ("gpu_type", "x" * 51, False),
        ("gpu_type", LEFT_OUT, False),
        ("base_model", MODEL, True),
        ("base_model", "no/such", False),
        ("base_model", f" {MODEL}", False),
        ("base_model", "\0", False),
        ("base_model", LEFT_OUT, True),
        ("name", "n" * 200, True),
        ("name", "n" * 201, False),
        ("name", f"  {'n' * 200}  ", True),
        ("name", "a\0b", False),
        ("name", " ", True),
        ("name", "Ünïcödé 名前 🪔", True),
        ("name", LEFT_OUT, True),
        ("max_cost", 0, True),
        ("max_cost", 5.81, True),
        ("max_cost", 0.0001, True),
        ("max_cost", 99_999_999.9999, True),
        ("max_cost", -0.01, False),
        ("max_cost", 0.00001, False),
        ("max_cost", 100_000_000, False),
        ("max_cost", "NaN", False),
        ("max_cost", "ten", False),
        ("max_cost", "1e999", False),
        ("max_cost", LEFT_OUT, True),
    ],
)
def test_choices_texts_and_the_cap_are_judged_alike(name, value, expected, doors):
    assert doors.agree(**{name: value}) is expected


@pytest.mark.parametrize(("count", "expected"), [(1, True), (2, False)])
def test_a_count_over_what_the_type_has_is_refused_by_both(count, expected, doors):
    assert doors.agree(gpu_type="CPU", gpu_count=count) is expected


def test_what_an_operator_took_out_is_refused_by_both(doors):
    assert doors.agree(gpu_type="H100", base_model=MODEL)
    GpuType.objects.filter(name="H100").update(enabled=False)
    assert not doors.agree(gpu_type="H100")
    BaseModel.objects.filter(id=MODEL).update(enabled=False)
    assert not doors.agree(base_model=MODEL)


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"status": "validating"}, False),
        ({"training_ready": False}, False),
        ({"total_training_pairs": None}, False),
        ({"deleted_at": timezone.now()}, False),
    ],
)
def test_a_dataset_is_judged_alike(changes, expected, doors, dataset):
    type(dataset).objects.update(**changes)
    assert doors.agree() is expected


def test_a_strangers_dataset_is_refused_by_both(doors, stranger):
    doors.dataset = DatasetFactory(user=stranger)
    assert not doors.agree()


def near(limit: Limit) -> st.SearchStrategy[Any]:
    """Numbers in and around a range, whole and not."""
    width = limit.maximum - limit.minimum
    bounds = {"min_value": limit.minimum - width, "max_value": limit.maximum + width}
    whole = st.integers(math.floor(bounds["min_value"]), math.ceil(bounds["max_value"]))
    return st.one_of(whole, st.floats(**bounds, allow_nan=False), st.none())


@settings(
    max_examples=60,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    st.fixed_dictionaries(
        {}, optional={name: near(limit) for name, limit in NUMBERS.items()}
    )
)
def test_any_numbers_together_are_judged_alike(doors, values):
    doors.agree(**values)
