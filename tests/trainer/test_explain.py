"""What a trainer's failure is called, and whether another attempt could help."""

import json
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "training" / "trainer"))

from chatml import CHATML
from data import BadData, NoAnswers, Sequences
from explain import explain
from labels import Labelled
from tokenizing import UnfitModel, completed


@pytest.mark.parametrize(
    ("error", "before", "after"),
    [
        (IndexError("index out of range in self"), "certain", "certain"),
        (
            RuntimeError("CUDA error: device-side assert triggered"),
            "certain",
            "certain",
        ),
        (
            RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
            "certain",
            "certain",
        ),
        (ValueError("lora.ParamWrapper does not work with"), "certain", "trainer"),
        (TypeError("unexpected keyword"), "certain", "trainer"),
        (RuntimeError("NCCL error"), "trainer", "trainer"),
        (ConnectionError("reset"), "trainer", "trainer"),
        (json.JSONDecodeError("Expecting value", "", 0), "trainer", "trainer"),
    ],
)
def test_what_would_fail_again_is_not_tried_again(tmp_path, error, before, after):
    assert explain(error, tmp_path, has_stepped=False)[0] == f"{before}_error"
    kind, words = explain(error, tmp_path)
    assert kind == f"{after}_error"
    assert str(error) in words


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (UnfitModel("no"), "unfit_model"),
        (NoAnswers("no"), "no_answers"),
        (BadData("no"), "bad_data"),
    ],
)
def test_a_known_cause_keeps_its_own_words(tmp_path, error, kind):
    assert explain(error, tmp_path, has_stepped=False) == (kind, "no")


def labelled(*labels: int, cut: int = 0) -> Labelled:
    ids = list(range(1, len(labels) + 1))
    return Labelled(
        input_ids=ids, labels=list(labels), ends=(), cut=cut, prefix_stable=True
    )


@pytest.mark.parametrize(
    ("rows", "refused", "error", "words"),
    [
        ([labelled(-100, -100, cut=3)], 0, BadData, "Raise max_length"),
        ([labelled(-100, -100)], 0, NoAnswers, "prints no answer"),
        ([labelled(-100, -100)], 2, UnfitModel, "must alternate"),
    ],
)
def test_that_nothing_is_left_is_said_with_its_cause(rows, refused, error, words):
    found = Sequences(refused=refused, refusal="must alternate")
    for row in rows:
        found.add(row)
    with pytest.raises(error, match=words):
        found.require_some(16)
    found.add(labelled(-100, 2))
    found.require_some(16)


class Named:
    """A tokenizer's special tokens."""

    def __init__(self, eos: str | None, pad: str | None, pad_id: int | None) -> None:
        self.eos_token, self.pad_token, self.pad_token_id = eos, pad, pad_id
        self.chat_template = None


@pytest.mark.parametrize(
    ("given", "pad"),
    [
        (Named("</s>", "<pad>", 3), "<pad>"),
        (Named("</s>", None, None), "</s>"),
        (Named("</s>", "<pad>", 512), "</s>"),
    ],
)
def test_padding_is_a_token_that_the_model_knows(tmp_path, given, pad):
    (tmp_path / "config.json").write_text('{"vocab_size": 512}')
    found = completed(given, str(tmp_path))
    assert (found.pad_token, found.chat_template) == (pad, CHATML)


def test_a_tokenizer_without_any_end_is_refused(tmp_path):
    with pytest.raises(UnfitModel, match="Set eos_token"):
        completed(Named(None, None, None), str(tmp_path))
