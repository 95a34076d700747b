"""A page shows the beginning of what is long, and says so."""

import json

import msgspec

from datasets.long_rows import LOOKED_AT_CHARACTERS, part_of, shown


def line(*messages: dict, **more) -> bytes:
    return msgspec.json.encode({"messages": list(messages), **more})


def user(text: str) -> dict:
    return {"role": "user", "content": text}


def answer(text: str, weight: int = 1) -> dict:
    return {"role": "assistant", "content": text, "weight": weight}


def test_a_usual_row_is_whole():
    row = line(user("a"), answer("b"), tools=[{"name": "lamp"}])
    assert shown(row) == part_of(row).row == json.loads(row)
    assert part_of(row).left_out == ""


def test_a_long_text_is_cut_and_the_row_says_how_long_it_is():
    row = line(user("a"), answer("é" * 100_000))
    found = shown(row)
    assert found["messages"] == [user("a"), answer("é" * 1000)]
    assert found["cut"] == {"bytes": len(row), "messages": 2}


def test_of_many_messages_the_first_are_shown():
    found = shown(line(*[user("a"), answer("b", 0)] * 50_000))
    assert found["messages"] == [user("a"), answer("b", 0)] * 25
    assert found["cut"]["messages"] == 100_000


def test_tool_calls_that_are_long_are_left_out():
    call = answer("") | {"tool_calls": [{"arguments": "x" * 100_000}]}
    assert shown(line(user("a"), call))["messages"] == [user("a"), answer("")]
    short = answer("") | {"tool_calls": [{"arguments": "x"}]}
    assert shown(line(user("x" * 100_000), short))["messages"][1] == short


def test_what_is_tokenized_is_the_beginning_and_the_rest_is_told():
    part = part_of(line(user("a" * 50_000), answer("b" * 950_000), user("c")))
    kept = LOOKED_AT_CHARACTERS - 50_000
    assert part.row["messages"] == [user("a" * 50_000), answer("b" * kept)]
    assert "first 98,304 characters of this example of 1,000," in part.left_out
    assert part.loses_learned


def test_nothing_learned_is_lost_where_only_what_is_read_is_left_out():
    assert not part_of(line(answer("a"), user("b" * 900_000))).loses_learned
