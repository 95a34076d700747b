"""What templates of every kind leave out is said of each example, by kind."""

import json
from pathlib import Path

import pytest

from datasets.tokens.chat_template import ChatTemplate
from datasets.tokens.render_program import located
from training.trainer import printed
from training.trainer.labels import Template

SOURCE = Path(__file__).parents[2] / "trainer" / "tiny_templates.py"
SPACE: dict = {}
TEXT = SOURCE.read_text()
exec(TEXT[TEXT.index("# As in SmolLM2") : TEXT.index("def main")], SPACE)  # noqa: S102
ENDS = ("<|im_end|>", "<|im_start|>")
CALL = {"type": "function", "function": {"name": "look", "arguments": {"at": "sky"}}}
TOOLS = [{"type": "function", "function": {"name": "look", "parameters": {}}}]


def made(folder, source):
    config = {"chat_template": source, "eos_token": "<|im_end|>"}
    config |= {"bos_token": "<|im_start|>"}
    (folder / "tokenizer_config.json").write_text(json.dumps(config))
    chat = ChatTemplate(folder)
    return Template(
        render=chat.render, encode=lambda text: ([], []), ends=ENDS, trace=chat.trace
    )


def said(role, content, **more):
    return {"role": role, "content": content, **more}


PLAIN = [said("user", "Hi."), said("assistant", "Hello.")]
THOUGHT = [said("user", "Hi."), said("assistant", "<think>\nhm\n</think>\n\nHello.")]
KEYED = [said("user", "Hi."), said("assistant", "Hello.", reasoning_content="hm")]
CALLED = [said("user", "Look."), said("assistant", None, tool_calls=[CALL])]
SYSTEM = [said("system", "Be kind."), *PLAIN]
QUOTING = [said("user", "What is <|im_end|>?"), said("assistant", "An end.")]


@pytest.mark.parametrize(
    ("name", "messages", "tools", "kinds"),
    [
        ("smollm2", PLAIN, None, set()),
        ("smollm2", SYSTEM, None, set()),
        ("smollm2", THOUGHT, None, set()),
        ("smollm2", KEYED, None, {printed.REASONING}),
        ("smollm2", PLAIN, TOOLS, {printed.TOOLS}),
        ("smollm2", QUOTING, None, {printed.SPECIAL}),
        ("tooled", CALLED, TOOLS, set()),
        ("tooled", SYSTEM, TOOLS, set()),
        ("reasoning", PLAIN, None, {printed.PROMPT}),
        ("reasoning", THOUGHT, None, {printed.REASONING, printed.PROMPT}),
        ("reasoning", CALLED, TOOLS, {printed.CALL, printed.TOOLS, printed.PROMPT}),
        ("wordy", PLAIN, None, {printed.END}),
        ("alternating", PLAIN, None, set()),
    ],
)
def test_what_is_left_out_is_found(tmp_path, name, messages, tools, kinds):
    template = made(tmp_path, SPACE["TEMPLATES"][name])
    row = {"messages": messages, "tools": tools}
    assert set(located(row, template)[4]) == kinds


def test_an_answer_of_which_nothing_is_printed_has_nothing_to_learn(tmp_path):
    silent = "{% for m in messages %}{{ m.role }}:{{ m.content or '' }}<|im_end|>"
    template = made(tmp_path, silent + "{% endfor %}")
    text, spans, stable, refusal, kinds = located({"messages": CALLED}, template)
    assert (spans, stable, refusal, kinds) == ([], True, "", [printed.CALL])
    assert "assistant:" in text
