"""Labels against cases written out by hand: one character is one token."""

import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parents[2] / "training" / "trainer"))

from labels import IGNORED, Template, label_conversation


def render(messages, tools, add_generation_prompt):
    text = "".join(f"<{m['role'][0]}>{m['content']}$\n" for m in messages)
    return text + ("<a>" if add_generation_prompt else "")


def encode(text):
    return [ord(c) for c in text], [(n, n + 1) for n in range(len(text))]


TEMPLATE = Template(render=render, encode=encode, ends=("$",))


def chat(*turns):
    return [{"role": role, "content": content} for role, content in turns]


TWO_ROUNDS = (("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d"))


def learned(messages, template=TEMPLATE, max_length=1000):
    found = label_conversation(messages, template, max_length=max_length)
    pairs = zip(found.input_ids, found.labels, strict=True)
    assert all(label in (IGNORED, token) for token, label in pairs)
    return "".join(chr(label) if label != IGNORED else "." for label in found.labels)


def test_only_answers_and_their_ends_are_learned():
    messages = chat(
        ("system", "S"), ("user", "hi"), ("assistant", "yo"),
        ("user", "and"), ("assistant", "ok"),
    )  # fmt: skip
    #       <s>S$  <u>hi$  <a>yo$  <u>and$  <a>ok$ , each with a line end
    assert (
        learned(messages) == "......" + "......." + "...yo$." + "........" + "...ok$."
    )


def test_an_answer_of_weight_zero_is_only_read():
    messages = chat(
        ("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")
    )
    messages[1]["weight"] = 0
    assert learned(messages) == "." * 18 + "...d$."


def test_a_cut_sequence_loses_its_end():
    messages = chat(("user", "q"), ("assistant", "long answer"))
    found = label_conversation(messages, TEMPLATE, max_length=12)
    assert (len(found.input_ids), found.cut, found.supervised) == (12, 10, 3)
    assert found.lost_end


def test_the_end_of_each_learned_turn_is_known():
    found = label_conversation(chat(*TWO_ROUNDS), TEMPLATE, max_length=1000)
    assert [chr(found.input_ids[position]) for position in found.ends] == ["$", "$"]
    assert not found.lost_end


def test_a_conversation_that_begins_with_an_answer_learns_its_words_only():
    assert learned(chat(("assistant", "x"), ("user", "y"))).startswith("...x$.")


def test_a_template_that_rewrites_earlier_turns_learns_the_last_answer_only():
    def changing(messages, tools, add_generation_prompt):
        return f"{len(messages) + add_generation_prompt}|" + render(
            messages, tools, add_generation_prompt
        )

    template = Template(render=changing, encode=encode, ends=("$",))
    messages = chat(
        ("user", "a"), ("assistant", "b"), ("user", "c"), ("assistant", "d")
    )
    found = label_conversation(messages, template, max_length=1000)
    assert not found.prefix_stable
    assert learned(messages, template) == "." * 23 + "d$."


def test_no_messages_is_an_error():
    with pytest.raises(ValueError, match="at least one message"):
        label_conversation([], TEMPLATE, max_length=10)


def closed(messages, tools, add_generation_prompt):
    """As Phi-3 does: each turn has its end, and the conversation another one."""
    text = render(messages, tools, add_generation_prompt)
    return text if add_generation_prompt else text + "#"


def test_a_token_behind_the_last_turn_leaves_every_answer_learned():
    template = Template(render=closed, encode=encode, ends=("$", "#"))
    found = label_conversation(chat(*TWO_ROUNDS), template)
    assert found.prefix_stable
    whole = "......" + "...b$." + "......" + "...d$." + "."
    assert learned(chat(*TWO_ROUNDS), template) == whole


def test_an_answer_of_which_nothing_is_printed_is_not_learned():
    messages = chat(("user", "a"), ("assistant", ""), ("user", "c"), ("assistant", "d"))
    call = {"function": {"name": "look", "arguments": {}}}
    messages[1] |= {"content": None, "tool_calls": [call]}

    def silent(given, tools, prompt):
        plain = [m | {"content": m["content"] or ""} for m in given]
        return render(plain, tools, prompt)

    template = Template(render=silent, encode=encode, ends=("$",))
    found = label_conversation(messages, template)
    assert found.supervised == 2
    assert label_conversation(messages[:2], template).supervised == 0


def defaulting(messages, tools, add_generation_prompt):
    """Adds a system prompt, as SmolLM2 does, and trims what it is given."""
    plain = [m | {"content": m["content"].strip()} for m in messages]
    default = chat(("system", "I am x. "))
    return render(default + plain, tools, add_generation_prompt)


@pytest.mark.parametrize("words", ["x", " I am x", "", "a\n"])
def test_an_opening_answer_learns_nothing_of_a_system_prompt_before_it(words):
    messages = chat(("assistant", words), ("user", "y"))
    template = Template(render=defaulting, encode=encode, ends=("$",))
    said = words.strip()
    begins = "." * len("<s>I am x. $\n<a>") + (f"{said}$" if said else ".") + "."
    assert learned(messages, template).startswith(begins)


def test_plain_text_is_learned_whole_and_without_a_template():
    template = Template(
        render=render, encode=encode, ends=("$",), opens="^", closes="$"
    )
    found = label_conversation(chat(("assistant", "once upon")), template)
    assert "".join(map(chr, found.input_ids)) == "^once upon$"
    assert found.labels == [IGNORED, *found.input_ids[1:]]
    assert found.ends == (10,)
    weightless = [{"role": "assistant", "content": "x", "weight": 0}]
    assert not label_conversation(weightless, template).supervised
    assert not label_conversation(chat(("assistant", " ")), template).supervised
