"""What is suggested for a dataset, and what a recipe is said to do."""

import pytest
from hypothesis import given
from hypothesis import strategies as some

from training.domain.config import Hyperparameters, fill_defaults
from training.domain.limits import LIMITS
from training.domain.presets import PRESETS
from training.domain.schedule import steps_per_epoch
from training.domain.suggestion import Facts, best_rate, forecast, suggest

SMOLLM2 = Facts(pairs=54, base_model="HuggingFaceTB/SmolLM2-135M-Instruct", width=576)


def values(**given) -> Hyperparameters:
    usual = {"learning_rate": 0.0002, "batch_size": 4, "epochs": 3, "rank": 16}
    return fill_defaults(usual | given)


def expected(recipe: Hyperparameters, facts: Facts = SMOLLM2) -> str:
    a_pass = steps_per_epoch(training_pairs=facts.pairs, batch_size=recipe.batch_size)
    steps = a_pass * recipe.epochs
    return forecast(recipe, facts=facts, total_steps=steps).expected


@pytest.mark.parametrize(
    ("base_model", "width", "rate"),
    [
        # 10 x 5e-5 x (2000 / 4096) ** 0.781 = 0.000286
        ("meta-llama/Llama-3.1-8B", 4096, 0.0003),
        # 10 x 5e-5 x (2000 / 8192) ** 0.781 = 0.000166
        ("meta-llama/Llama-3.1-70B", 8192, 0.0002),
        # 10 x 5e-5 x (2000 / 4096) ** 0.0775 = 0.000473
        ("Qwen/Qwen3-8B", 4096, 0.0005),
        # 10 x 5e-5 x (2000 / 576) ** 0.781 = 0.00132: the range ends at 0.001
        ("HuggingFaceTB/SmolLM2-135M-Instruct", 576, 0.001),
        ("of unknown dimensions", None, 0.0002),
    ],
)
def test_the_rate_follows_width_and_family(base_model, width, rate):
    facts = Facts(pairs=500, base_model=base_model, width=width)
    assert best_rate(facts) == pytest.approx(rate)


@given(some.integers(1, 10**7), some.none() | some.integers(8, 20_000))
def test_every_suggestion_is_accepted_and_said_to_teach(pairs, width):
    facts = Facts(pairs=pairs, base_model="a/b", width=width)
    found = {advice.name: advice.value for advice in suggest(facts)}
    for name, value in found.items():
        assert LIMITS[name].problem(value) is None
    if pairs >= 30:
        assert expected(fill_defaults(found), facts) == "learned"
    assert all(advice.reason for advice in suggest(facts))


def test_fewer_examples_are_seen_more_often():
    epochs = [
        next(
            a.value
            for a in suggest(Facts(pairs=n, base_model=""))
            if a.name == "epochs"
        )
        for n in (20, 54, 270, 1000, 20_000)
    ]
    assert epochs == sorted(epochs, reverse=True)
    assert epochs[0] > 5
    assert epochs[-1] == 1


@pytest.mark.parametrize("preset", ["fast", "balanced"])
def test_presets_hardly_change_a_small_model_on_few_examples(preset):
    recipe = fill_defaults(PRESETS[preset].values())
    assert expected(recipe) == "hardly"


def test_a_higher_rate_never_teaches_less():
    order = ["hardly", "partly", "learned"]
    seen = [
        order.index(expected(values(learning_rate=rate)))
        for rate in (0.00002, 0.0001, 0.0003, 0.001)
    ]
    assert seen == sorted(seen)
    assert seen[0] == 0
    assert seen[-1] == 2


def test_many_passes_over_few_examples_are_warned_of():
    assert expected(values(epochs=20, learning_rate=0.001)) == "by_heart"
    many = Facts(pairs=20_000, base_model="a/b", width=4096)
    assert expected(values(epochs=20), many) == "learned"


def test_the_sentence_names_steps_and_rate():
    found = forecast(values(learning_rate=0.00005), facts=SMOLLM2, total_steps=42)
    assert found.sentence == (
        "42 steps at a learning rate of 0.00005 will hardly change the model."
    )
