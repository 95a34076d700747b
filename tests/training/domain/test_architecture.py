"""Parameters counted from dimensions, against what the models' makers publish."""

import pytest

from tests.training.domain.builders import MIXTRAL, SMOL, dimensions
from training.domain.catalogue.architecture import Architecture
from training.domain.catalogue.architecture_config import (
    UnknownArchitecture,
    architecture_from_config,
)
from training.domain.catalogue.base_models import KNOWN_MODELS

TINY = Architecture(
    layers=2, hidden=64, ffn=128, query=64, key_value=32, vocabulary=512
)


@pytest.mark.parametrize("model", KNOWN_MODELS.values(), ids=lambda model: model.id)
def test_counted_parameters_equal_the_published_ones(model):
    counted = model.architecture.parameters
    assert counted == pytest.approx(model.published_parameters, rel=0.005)


def test_the_catalogue_spans_small_large_dense_and_mixed_models():
    sizes = [model.published_parameters for model in KNOWN_MODELS.values()]
    assert len(sizes) >= 20
    assert min(sizes) < 0.2e9
    assert max(sizes) > 70e9
    assert any(model.architecture.is_mixture for model in KNOWN_MODELS.values())


def test_a_layer_is_attention_and_network():
    # 2 x 64 x 64 for query and output, 2 x 64 x 32 for key and value, 3 x 64 x 128.
    assert TINY.attention_parameters == 8192 + 4096
    assert TINY.expert_parameters == 24_576
    # Two layers, embedding and head apart, two norms a layer and a last one of 64.
    assert TINY.parameters == 2 * (12_288 + 24_576) + 2 * 64 * 512 + 5 * 64


def test_tied_embeddings_are_stored_once_and_computed_all_the_same():
    smol = dimensions(SMOL)
    assert smol.embedding_parameters == smol.head_parameters == 576 * 49_152


def test_a_token_of_a_mixture_passes_two_of_eight_experts():
    mixtral = dimensions(MIXTRAL)
    networks = 32 * 3 * 4096 * 14_336
    assert mixtral.linear_parameters - mixtral.active_parameters == 6 * networks
    # 12.9 of 46.7 billion, as Mistral AI states it, are used for a token.
    used = mixtral.active_parameters + mixtral.embedding_parameters
    assert used == pytest.approx(12.9e9, rel=0.01)


def test_adapters_grow_with_the_rank_on_all_linear_layers():
    # Rank x (in + out): attention 2 x 128 + 2 x 96, network 3 x 192, in two layers.
    assert TINY.lora_parameters(1) == 2 * (256 + 192 + 576)
    assert TINY.lora_parameters(16) == 16 * TINY.lora_parameters(1)


def test_dimensions_below_one_and_impossible_experts_are_refused():
    with pytest.raises(ValueError, match="at least 1"):
        Architecture(layers=0, hidden=1, ffn=1, query=1, key_value=1, vocabulary=1)
    with pytest.raises(ValueError, match="9 experts per token of 8"):
        Architecture(
            layers=1,
            hidden=1,
            ffn=1,
            query=1,
            key_value=1,
            vocabulary=1,
            experts=8,
            experts_per_token=9,
        )


SMOL_CONFIG = {
    "model_type": "llama",
    "hidden_size": 576,
    "intermediate_size": 1536,
    "num_attention_heads": 9,
    "num_key_value_heads": 3,
    "num_hidden_layers": 30,
    "tie_word_embeddings": True,
    "vocab_size": 49_152,
}
QWEN3_MOE_CONFIG = {
    "model_type": "qwen3_moe",
    "head_dim": 128,
    "hidden_size": 2048,
    "intermediate_size": 6144,
    "moe_intermediate_size": 768,
    "num_attention_heads": 32,
    "num_experts": 128,
    "num_experts_per_tok": 8,
    "num_hidden_layers": 48,
    "num_key_value_heads": 4,
    "vocab_size": 151_936,
}


@pytest.mark.parametrize(
    ("config", "model"),
    [(SMOL_CONFIG, SMOL), (QWEN3_MOE_CONFIG, "Qwen/Qwen3-30B-A3B")],
    ids=["dense", "mixture"],
)
def test_a_config_gives_the_dimensions_of_the_catalogue(config, model):
    assert architecture_from_config(config) == dimensions(model)


def test_a_config_of_an_unknown_type_says_which_are_known():
    with pytest.raises(UnknownArchitecture, match="'t5'; supported are gemma2, llama"):
        architecture_from_config({"model_type": "t5"})


def test_a_config_without_a_dimension_names_it():
    config = {k: v for k, v in SMOL_CONFIG.items() if k != "vocab_size"}
    with pytest.raises(ValueError, match="None under vocab_size"):
        architecture_from_config(config)
