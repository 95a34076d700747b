"""What a chat template leaves out of a conversation is found, kind by kind."""

import pytest

from training.trainer import printed
from training.trainer.printed import spells_special, unprinted

CALL = {
    "type": "function",
    "function": {"name": "weather", "arguments": {"city": "Paris", "days": 3}},
}
TOOLS = [{"type": "function", "function": {"name": "weather", "parameters": {}}}]


def chat(answer="Sunny.", system="Be brief.", **more):
    return [
        {"role": "system", "content": system},
        {"role": "user", "content": "How is it?"},
        {"role": "assistant", "content": answer} | more,
    ]


def missing(messages, text, tools=None):
    """The last answer is what stands behind the last bar."""
    return unprinted(messages, tools, text, {2: (text.rfind("|") + 1, len(text))})


WHOLE = "Be brief.|How is it?|Sunny."


def test_nothing_is_missing_where_all_is_printed():
    assert missing(chat(), WHOLE) == set()
    assert missing(chat("  Sunny. \n"), "Be  brief.|How is\nit?|Sunny.") == set()


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("How is it?|Sunny.", printed.SYSTEM),
        ("Be brief.|Sunny.", printed.CONTEXT),
        ("Be brief.|How is it?|Sun", printed.ANSWER),
        ("Be brief.|How is it? Sunny.|", printed.ANSWER),
    ],
)
def test_words_that_are_not_printed_are_told_by_whose_they_are(text, kind):
    assert missing(chat(), text) == {kind}


@pytest.mark.parametrize(
    ("part", "kinds"),
    [
        ('{"name": "weather", "arguments": {"city": "Paris", "days": 3}}', set()),
        ("<function=weather><parameter=city>Paris<parameter=days>3", set()),
        ('weather({"city": "Paris"})', {printed.CALL}),
        ("weather(city)", {printed.CALL}),
        ("", {printed.CALL}),
    ],
)
def test_a_call_is_printed_with_its_name_and_every_value(part, kinds):
    messages = chat("", tool_calls=[CALL])
    assert missing(messages, f"Be brief.|How is it?|{part}") == kinds


def test_arguments_are_looked_for_as_text_and_as_json():
    call = {
        "function": {"name": "say", "arguments": '{"words": "a \\"b\\"\\n\\u00e9"}'}
    }
    messages = chat("", tool_calls=[call])
    for said in ('a "b" é', r"a \"b\"\n\u00e9", r"a \"b\"\né"):
        assert missing(messages, f"Be brief.|How is it?|say words {said}") == set()
    assert missing(messages, "Be brief.|How is it?|say words a") == {printed.CALL}


@pytest.mark.parametrize("key", ["reasoning_content", "reasoning", "thinking"])
def test_reasoning_is_looked_for_in_every_key(key):
    messages = chat(**{key: "It is June."})
    assert missing(messages, WHOLE) == {printed.REASONING}
    assert missing(messages, WHOLE.replace("Sunny", "It is June. Sunny")) == set()


def test_reasoning_inside_the_words_is_told_from_the_words():
    messages = chat("<think>\nIt is June.\n</think>\n\nSunny.")
    assert missing(messages, WHOLE) == {printed.REASONING}
    text = "Be brief.|How is it?|<think>\nIt is June.\n</think>Sunny."
    assert missing(messages, text) == set()


def test_tools_must_be_printed_by_name():
    assert missing(chat(), WHOLE, TOOLS) == {printed.TOOLS}
    assert missing(chat(), "weather " + WHOLE, TOOLS) == set()


def test_a_text_that_spells_a_special_token_is_found():
    quoting = chat(system="Never write <|im_end|>.")
    assert spells_special(quoting, ["<|im_end|>"])
    assert not spells_special(chat(), ["<|im_end|>"])
