"""Entering a base model from its config.json."""

import json
import struct

import pytest
from django.core.management import CommandError, call_command

from datasets.models import DatasetStatistics
from tests.training.rows import add_rows
from training.models import BaseModel

CONFIG = {
    "model_type": "llama",
    "num_hidden_layers": 2,
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 512,
}


@pytest.fixture
def folder(tmp_path):
    made = tmp_path / "my-model"
    made.mkdir()
    return made


def write(folder, config):
    (folder / "config.json").write_text(json.dumps(config))


def test_a_folder_is_entered_with_its_dimensions(db, folder, capsys):
    write(folder, CONFIG)
    call_command("add_base_model", str(folder), id="me/mine", name="Mine")
    model = BaseModel.objects.get(pk="me/mine")
    assert (model.source, model.path, model.is_here) == ("folder", str(folder), True)
    assert model.architecture.layers == 2
    # Embedding and head 2 x 512 x 64, per layer 12 288 + 24 576, norms 5 x 64.
    assert model.parameters == 2 * 512 * 64 + 2 * (12_288 + 24_576) + 5 * 64
    assert "139,584 parameters" in capsys.readouterr().out


def test_entering_it_again_changes_it(db, folder):
    write(folder, CONFIG)
    call_command("add_base_model", str(folder), verbosity=0)
    write(folder, CONFIG | {"num_hidden_layers": 4})
    call_command("add_base_model", str(folder), verbosity=0)
    assert BaseModel.objects.get(pk="my-model").dimensions["layers"] == 4


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (None, "use a folder with a config.json"),
        ({}, "names no model_type"),
        ({"model_type": "t5", "is_encoder_decoder": True}, "no causal"),
        ({"model_type": "bert", "architectures": ["BertForMaskedLM"]}, "BertForMasked"),
        ({"model_type": "llama"}, "num_attention_heads"),
    ],
)
def test_a_folder_without_usable_config_is_refused(db, folder, config, words):
    if config is not None:
        write(folder, config)
    with pytest.raises(CommandError, match=words):
        call_command("add_base_model", str(folder))


def with_weights(folder, **shapes):
    """A safetensors file of which only the header is ever read."""
    header = {n: {"dtype": "F32", "shape": s} for n, s in shapes.items()}
    text = json.dumps(header | {"__metadata__": {"format": "pt"}}).encode()
    (folder / "model.safetensors").write_bytes(struct.pack("<Q", len(text)) + text)


def test_a_model_of_unknown_kind_is_counted_from_its_weights(db, folder, capsys):
    write(folder, {"model_type": "unheard_of", "architectures": ["NewForCausalLM"]})
    with_weights(folder, embedding=[512, 64], norm=[64], inv_freq=[8])
    call_command("add_base_model", str(folder))
    model = BaseModel.objects.get(pk="my-model")
    assert (model.architecture, model.parameters) == (None, 512 * 64 + 64)
    assert "without a memory check" in capsys.readouterr().out


def test_dimensions_that_the_weights_contradict_are_not_believed(db, folder):
    write(folder, CONFIG)
    with_weights(folder, embedding=[512, 64])
    call_command("add_base_model", str(folder), verbosity=0)
    model = BaseModel.objects.get(pk="my-model")
    assert (model.architecture, model.parameters) == (None, 512 * 64)


def test_weights_that_cannot_be_read_tell_nothing(db, folder):
    write(folder, {"model_type": "unheard_of"})
    (folder / "model.safetensors").write_bytes(b"no header")
    call_command("add_base_model", str(folder), verbosity=0)
    assert BaseModel.objects.get(pk="my-model").parameters is None


def test_entering_a_model_again_has_datasets_counted_again(db, folder, owner):
    write(folder, CONFIG)
    add_rows(owner, "a")
    assert DatasetStatistics.objects.filter(base_model="tiny").exists()
    call_command("add_base_model", str(folder), id="tiny", verbosity=0)
    assert not DatasetStatistics.objects.filter(base_model="tiny").exists()
