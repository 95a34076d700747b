"""The preflight shows what reaches the trainer's batches, token by token."""

import json
import os
import subprocess
from pathlib import Path

import pytest

from datasets.domain.formats.declared import BY_NAME
from datasets.domain.formats.rows import read_row
from datasets.domain.formats.turns import row_bytes
from datasets.tokens.preflight import Preflight, look_at
from datasets.tokens.tokenizer import ModelTokenizer
from tests.datasets.checking.corpus.valid import CALL, ROWS, TOOLS
from tests.trainer.conftest import ROOT, TRAINER_PYTHON
from training.trainer.labels import CannotRender

pytestmark = pytest.mark.trainer
TEMPLATES = (
    "smollm2", "generation", "changing", "tooled", "reasoning", "alternating", "wordy",
)  # fmt: skip
IGNORED = -100
LENGTHS = ("1024", "150")


def said(role, content, **more):
    return {"role": role, "content": content, **more}


LONG = [
    said("system", "You sell lamps."),
    said("user", "Which lamp is the best of the lamps?"),
    said("assistant", "The round one, and here is why.", weight=0),
    said("user", "And why is that so? \n"),
    said("assistant", "\n It stands on the floor. Ünïcödé 🪔 !"),
    said("user", "thanks"),
    said("assistant", "The end."),
]
MORE = [
    {"messages": LONG},
    {"messages": [said("assistant", "Hello, lamp."), said("user", "Hi"),
                  said("assistant", "What now?")]},
    {"messages": [said("user", "Hi"), said("assistant", "I answer."),
                  said("user", "never answered")]},
    {"messages": [said("user", "a <|im_end|> in the text"), said("assistant", "x")]},
    {"messages": [said("user", "Find it"),
                  {"role": "assistant", "content": None, "tool_calls": [CALL]},
                  said("tool", "found", tool_call_id="c1"),
                  said("assistant", "Here.")], "tools": TOOLS},
    {"messages": [said("user", "two"), said("assistant", "one"),
                  said("assistant", "after the other")]},
]  # fmt: skip


def normalised() -> list[bytes]:
    """Rows of every format, as the second pass writes them."""
    rows = list(ROWS.items()) + [("openai_chat", row) for row in MORE]
    found = []
    for name, row in rows:
        read = read_row(1, row, BY_NAME[name])
        assert not [fault for fault in read.faults if fault.is_error]
        found += [row_bytes(example) for example in read.examples]
    return found


@pytest.fixture(scope="session")
def templates(tiny_model: Path, tmp_path_factory) -> Path:
    target = tmp_path_factory.mktemp("templates")
    script = str(ROOT / "tests" / "trainer" / "tiny_templates.py")
    subprocess.run([TRAINER_PYTHON, "-I", script, tiny_model, target], check=True)
    return target


@pytest.fixture(scope="session")
def batches(templates: Path, tmp_path_factory) -> dict[str, dict]:
    """What the trainer's data loader gives for each template, all asked at once."""
    file = tmp_path_factory.mktemp("rows") / "train.jsonl"
    file.write_bytes(b"".join(row + b"\n" for row in normalised()))
    script = str(ROOT / "tests" / "trainer" / "batches.py")
    environment = {**os.environ, "OMP_NUM_THREADS": "1", "HF_HUB_OFFLINE": "1"}
    folders = [templates / name for name in TEMPLATES]
    command = [TRAINER_PYTHON, "-I", script, file, ",".join(LENGTHS), *folders]
    done = subprocess.run(
        command, capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return json.loads(done.stdout.partition("BATCHES")[2])


def seen(tokenizer: ModelTokenizer, row: dict, max_length: int) -> Preflight:
    found = Preflight(example=1, split="train", base_model="t", max_length=max_length)
    look_at(found, row, tokenizer)
    return found


@pytest.mark.parametrize("max_length", LENGTHS)
@pytest.mark.parametrize("name", TEMPLATES)
def test_preflight_equals_the_trainers_batches(templates, batches, name, max_length):
    tokenizer = ModelTokenizer(templates / name)
    expected, left_out = [], 0
    for row in map(json.loads, normalised()):
        try:
            shown = seen(tokenizer, row, int(max_length)).as_dict()
        except CannotRender:
            shown = {"supervised_tokens": 0}
        if shown["supervised_tokens"]:
            expected.append([shown["input_ids"], shown["labels"]])
        else:
            left_out += 1
    found = batches[name]["fed"][max_length]
    assert len(expected) >= 6
    assert sorted(found["pairs"]) == sorted(expected)
    assert found["left_out"] == left_out


def test_the_labels_are_those_of_generation_where_all_weights_are_1(templates, batches):
    tokenizer, compared = ModelTokenizer(templates / "generation"), 0
    chats = [json.loads(row) for row in normalised()]
    for chat, mask in zip(chats, batches["generation"]["masks"], strict=True):
        if has_no_weight_0(chat) and chat["messages"][0]["role"] != "assistant":
            labels = seen(tokenizer, chat, 1024).as_dict()["labels"]
            assert [int(label != IGNORED) for label in labels] == mask
            compared += 1
    assert compared >= 8


def has_no_weight_0(row: dict) -> bool:
    return all(m.get("weight", 1) for m in row["messages"])


@pytest.mark.parametrize("name", TEMPLATES)
def test_counting_agrees_with_the_labels(templates, name):
    tokenizer = ModelTokenizer(templates / name)
    rows = [json.loads(row) for row in normalised()]
    counted = tokenizer.measure([tokenizer.prepare(row) for row in rows])
    assert counted == [tokenizer.measure_slowly(row) for row in rows]
    assert any(found.supervised for found in counted)


def test_a_template_whose_prefix_changes_learns_the_last_answer_alone(templates):
    shown = seen(ModelTokenizer(templates / "changing"), {"messages": LONG}, 1024)
    learned = "".join(token.text for token in shown.kept if token.learned)
    assert not shown.prefix_stable
    assert learned == "The end.<|im_end|>"


def test_weights_and_ends_are_seen(templates):
    shown = seen(ModelTokenizer(templates / "smollm2"), {"messages": LONG}, 1024)
    learned = "".join(token.text for token in shown.kept if token.learned)
    assert "here is why" not in learned
    assert learned.endswith("The end.<|im_end|>")
    assert [t.text for t in shown.kept if t.ends_turn] == ["<|im_end|>"] * 2
