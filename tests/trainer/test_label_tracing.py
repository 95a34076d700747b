"""One rendering tells what rendering every beginning of a chat would."""

import json
import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from datasets.tokens.chat_template import ChatTemplate
from tests.trainer.chat_templates import ASKED, TOLD
from tests.trainer.labels_by_prefixes import label_by_prefixes
from training.trainer.labels import CannotRender, Template, label_conversation

TINY = (Path(__file__).parent / "tiny_templates.py").read_text()
SPACE: dict = {}
exec(TINY[TINY.index("# As in SmolLM2") : TINY.index("def main")], SPACE)  # noqa: S102
TOLD |= {name: SPACE["TEMPLATES"][name] for name in ("smollm2", "generation")}
ASKED |= {"changing": SPACE["TEMPLATES"]["changing"]}
ENDS = ("<|end|>", "<|im_end|>", "<|im_start|>")
TOKEN = re.compile(r"<\|\w+\|>|\w{1,3}|[\s\S]")
WORDS = ["", " ", "a", "b", "ab", "<|im_end|>", "<assistant>", "\n hi \n",
         "x<|im_end|>\n", "<|im_end|>\n<|im_start|>assistant\n"]  # fmt: skip


def encode(text):
    found = list(TOKEN.finditer(text))
    return [sum(map(ord, m.group())) for m in found], [m.span() for m in found]


class Counted:
    """A template that counts what it renders."""

    def __init__(self, chat: ChatTemplate) -> None:
        self._chat = chat
        self.alone = self.messages = 0

    def render(self, messages, tools, prompt):
        self.alone += 1
        self.messages += len(messages)
        return self._chat.render(messages, tools, prompt)

    def trace(self, messages, tools, prompt):
        self.messages += len(messages)
        return self._chat.trace(messages, tools, prompt)

    @property
    def template(self) -> Template:
        return Template(render=self.render, encode=encode, ends=ENDS, trace=self.trace)


@pytest.fixture(scope="module")
def chats(tmp_path_factory) -> dict[str, ChatTemplate]:
    made = {}
    for name, source in (TOLD | ASKED).items():
        folder = tmp_path_factory.mktemp(name)
        config = {"chat_template": source, "eos_token": "<|im_end|>"}
        config |= {"bos_token": "<|im_start|>"}
        (folder / "tokenizer_config.json").write_text(json.dumps(config))
        made[name] = ChatTemplate(folder)
    return made


def message(role, content, weight):
    weighted = {"weight": weight} if role == "assistant" else {}
    return {"role": role, "content": content} | weighted


CONTENT = st.one_of(st.sampled_from(WORDS), st.text("ab \n<", max_size=5))
ROLES = ["system", "user", "assistant", "user", "assistant", "tool"]
ANY = st.builds(message, st.sampled_from(ROLES), CONTENT, st.sampled_from([0, 1, 1]))
PAIRS = st.lists(st.tuples(CONTENT, CONTENT), min_size=1, max_size=5).map(
    lambda pairs: [
        message(role, content, 1)
        for pair in pairs
        for role, content in zip(("user", "assistant"), pair, strict=True)
    ]
)


def outcome(label, *given_):
    try:
        found = label(*given_)
    except CannotRender as error:
        return str(error)
    return found.input_ids, found.labels, found.ends, found.prefix_stable


@pytest.mark.parametrize("name", sorted(TOLD | ASKED))
@settings(
    max_examples=60, deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)  # fmt: skip
@given(messages=st.one_of(st.lists(ANY, min_size=1, max_size=9), PAIRS))
def test_labels_are_those_of_rendering_every_beginning(chats, name, messages):
    chat = chats[name]
    plain = Template(render=chat.render, encode=encode, ends=ENDS)
    expected = outcome(label_by_prefixes, messages, plain)
    assert outcome(label_conversation, messages, Counted(chat).template) == expected


def pairs(count: int) -> list[dict]:
    return [
        message(role, f"{role} {n}", 1)
        for n in range(count)
        for role in ("user", "assistant")
    ]


@pytest.mark.parametrize("name", sorted(TOLD))
def test_a_template_that_reads_on_is_rendered_twice_for_any_number_of_turns(
    chats, name
):
    counted = Counted(chats[name])
    found = label_conversation(pairs(50), counted.template)
    assert (found.prefix_stable, len(found.ends)) == (True, 50 if found.ends else 0)
    assert counted.alone == 0
    assert counted.messages <= 100 + 99 + 1


@pytest.mark.parametrize("name", sorted(ASKED.keys() - {"loops_in_a_loop"}))
def test_a_template_that_looks_ahead_is_rendered_a_bounded_number_of_times(chats, name):
    for count in (500, 1000):
        counted = Counted(chats[name])
        label_conversation(pairs(count), counted.template)
        assert counted.messages < 70_000 + 3 * 2 * count


def test_two_thousand_pairs_are_labelled_as_two_are(chats):
    found = label_conversation(pairs(2000), Counted(chats["smollm2"]).template)
    assert found.prefix_stable
    assert len(found.ends) == 2000
    learned = "".join(chr(0) if label < 0 else "x" for label in found.labels)
    assert len(set(re.findall("x+", learned))) <= 3
