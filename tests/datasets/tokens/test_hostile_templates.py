"""Chat templates that never end, fill the memory or write without end, in a process."""

import json
import time
from pathlib import Path

import pytest

from datasets.tokens import renderer
from datasets.tokens.measure import measured
from datasets.tokens.renderer import GIVEN_UP, Patience
from datasets.tokens.tokenizer import ModelTokenizer
from tests.benchmarks.test_datasets import TEMPLATE

ANSWER = {"role": "assistant", "content": "Hello", "weight": 1}
ROW = {"messages": [{"role": "user", "content": "Hi"}, ANSWER]}
HOSTILE = {
    "a power while it is compiled": "{{ 9**99999999 }}",
    "a power while it is run": "{% set n = messages|length + 7 %}{{ n**99999999 }}",
    "a shift": "{% set n = messages|length %}{{ 1 * (n ** (n ** 40)) }}",
    "loops in loops": "{% for a in range(99999) %}{% for b in range(99999) %}"
    "{% endfor %}{% endfor %}",
    "memory at once": "{% set n = messages|length * 10**9 %}{{ ('x' * n)|length }}",
    "memory by a format": "{{ '%9000000000d' % 1 }}",
    "output without end": "{% for a in range(99999) %}{{ 'x' * 100000 }}{% endfor %}",
    "a list that grows": "{% set n = messages|length * 10**9 %}{{ ([0] * n)|length }}",
    "recursion": "{% macro f(x) %}{{ f(x) }}{% endmacro %}{{ f(1) }}",
    "a syntax error": "{% for %}",
    "a look outside": "{{ ''.__class__.__mro__[1].__subclasses__()[0]() }}",
}  # fmt: skip
LONGEST_SECONDS = 20  # of which the template's own are 4 at most, on a busy machine


def folder_with(tmp_path: Path, template: str) -> Path:
    from tokenizers import Tokenizer, models, pre_tokenizers

    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {sign: n for n, sign in enumerate(alphabet)}
    made = Tokenizer(models.BPE(vocab=vocabulary, merges=[]))
    made.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    made.add_special_tokens(["<|im_start|>", "<|im_end|>"])
    made.save(str(tmp_path / "tokenizer.json"))
    config = {"eos_token": "<|im_end|>", "chat_template": template}
    (tmp_path / "tokenizer_config.json").write_text(json.dumps(config))
    return tmp_path


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_template_is_ended_and_said(tmp_path, name):
    tokenizer = ModelTokenizer(folder_with(tmp_path, HOSTILE[name]))
    began = time.monotonic()
    found = tokenizer.prepare(ROW)
    assert time.monotonic() - began < LONGEST_SECONDS
    assert found.refused
    assert found.refusal.strip()
    assert found.text == ""


def test_another_model_is_rendered_after_one_that_had_to_be_ended(tmp_path):
    (tmp_path / "good").mkdir()
    (tmp_path / "bad").mkdir()
    bad = ModelTokenizer(folder_with(tmp_path / "bad", "{{ 9**99999999 }}"))
    good = ModelTokenizer(folder_with(tmp_path / "good", TEMPLATE))
    assert bad.prepare(ROW).refused
    found = good.prepare(ROW)
    assert found.text.endswith("Hello<|im_end|>\n")
    assert [found.text[start:end] for start, end in found.spans] == ["Hello<|im_end|>"]


def test_only_the_row_that_never_ends_is_refused(tmp_path):
    """Its neighbours, asked together with it, are rendered."""
    source = (
        "{% if messages[0].content == 'stop' %}{{ (messages|length + 7)**99999999 }}"
    )
    tokenizer = ModelTokenizer(folder_with(tmp_path, source + "{% endif %}" + TEMPLATE))
    stop = {"messages": [{"role": "user", "content": "stop"}, ROW["messages"][1]]}
    lines = [json.dumps(row).encode() for row in (ROW, ROW, stop, ROW)]
    found = tokenizer.prepare_lines(lines)
    assert [rendered.refused for rendered in found] == [False, False, True, False]


def test_a_check_gives_up_on_a_template_after_three_rows(tmp_path, monkeypatch):
    monkeypatch.setattr(renderer, "SILENCE_SECONDS", 1.0)
    tokenizer = ModelTokenizer(folder_with(tmp_path, "{{ 9**99999999 }}"))
    lines = [json.dumps(ROW).encode() + b"\n"] * 3000
    began = time.monotonic()
    found = [one for _, batch in measured(lines, tokenizer) for one in batch]
    assert time.monotonic() - began < 60
    assert len(found) == 3000
    assert all(one.refusal for one in found)


def test_nothing_is_asked_after_the_moment_that_was_given(tmp_path):
    tokenizer = ModelTokenizer(folder_with(tmp_path, "{{ 9**99999999 }}"))
    began = time.monotonic()
    patience = Patience(until=began + 0.5)
    found = tokenizer.prepare_lines([json.dumps(ROW).encode()] * 50, patience)
    assert time.monotonic() - began < LONGEST_SECONDS
    assert patience.is_over
    assert found[-1].refusal == GIVEN_UP


def test_a_template_is_given_no_secret_of_the_console(tmp_path, monkeypatch):
    monkeypatch.setenv("SECRET_KEY", "very secret")
    program = renderer.Program()
    try:
        pid = program._process.pid
        assert b"very secret" not in Path(f"/proc/{pid}/environ").read_bytes()
    finally:
        program.end()
