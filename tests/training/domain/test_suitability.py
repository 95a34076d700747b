"""Models that cannot be trained are named with the way out."""

from dataclasses import replace

import pytest

from training.domain.catalogue.suitability import ModelFacts, cannot_adapt

LLAMA = ModelFacts(model_type="llama", vocabulary=512, positions=1024)


def test_a_config_says_how_many_tokens_and_positions_there_are():
    gpt2 = ModelFacts.of({"model_type": "gpt2", "vocab_size": 512, "n_positions": 1024})
    assert (gpt2.vocabulary, gpt2.positions) == (512, 1024)
    inner = {"vocab_size": 9, "max_position_embeddings": 7}
    vision = ModelFacts.of({"model_type": "gemma3", "text_config": inner})
    assert (vision.model_type, vision.vocabulary, vision.positions) == ("gemma3", 9, 7)
    assert ModelFacts.of({}) == ModelFacts()


@pytest.mark.parametrize(
    ("facts", "longest", "words"),
    [
        (LLAMA, 1024, ""),
        (LLAMA, 4096, ""),
        (replace(LLAMA, highest_token=511), 10, ""),
        (replace(LLAMA, highest_token=512), 10, "Resize its embeddings"),
        (replace(LLAMA, has_end=False), 10, "Set eos_token"),
        (replace(LLAMA, model_type="gpt2"), 1024, ""),
        (replace(LLAMA, model_type="gpt2"), 1025, "Set max_length to 1,024"),
        (replace(LLAMA, model_type="mamba"), 10, "state-space"),
        (ModelFacts(highest_token=10**6), 10**6, ""),
    ],
)
def test_an_obstacle_has_its_way_out(facts, longest, words):
    found = " ".join(facts.obstacles(longest))
    assert words in found
    assert bool(words) == bool(found)


def test_what_works_but_should_be_known_is_a_caution():
    assert list(LLAMA.cautions(1024)) == []
    (beyond,) = LLAMA.cautions(1248)
    assert "1,024" in beyond
    assert "1,248" in beyond
    (template,) = replace(LLAMA, has_template=False).cautions(10)
    assert "ChatML" in template


def test_only_state_spaces_cannot_be_adapted():
    assert "mamba2" in cannot_adapt("mamba2")
    assert cannot_adapt("llama") == cannot_adapt("") == ""
