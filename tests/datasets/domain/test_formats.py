"""Rows as people publish and export them, and what they become."""

import json
from pathlib import Path

import pytest

from datasets.domain.formats.declared import FORMATS, format_table, key_table
from datasets.domain.formats.parts import WORDS, Part
from datasets.domain.formats.plain import looked_at, looker_of
from datasets.domain.formats.rows import RowReader
from datasets.domain.formats.turns import row_bytes

Q, A = "Which lamp?", "The round one."
U, S = {"role": "user", "content": Q}, {"role": "system", "content": "You sell lamps."}
ANSWER = {"role": "assistant", "content": A}
BAD = {"role": "assistant", "content": "Go away."}
CALL = {"name": "stock", "arguments": {"lamp": "round"}}
TOOL = {"name": "stock", "description": "How many are left", "parameters": {}}


def read(*rows):
    """(normalised rows, kinds of faults, unused keys) of a file of these rows."""
    items = [(n, json.dumps(row).encode()) for n, row in enumerate(rows, 1)]
    reads = list(RowReader().read_all(items))
    return (
        [json.loads(row_bytes(one)) for found in reads for one in found.examples],
        [fault.kind for found in reads for fault in found.faults],
        sorted({name for found in reads for name in found.unused}),
    )


def said(*pairs, **last):
    """Messages from (role, content), answers with weight 1."""
    made = [
        {"role": r, "content": c} | ({"weight": 1} if r == "assistant" else {})
        for r, c in pairs
    ]
    made[-1] |= last
    return made


PAIR = said(("user", Q), ("assistant", A))
WITH_SYSTEM = said(("system", "You sell lamps."), ("user", Q), ("assistant", A))
READ_ALIKE = {
    "prompt and response": {"prompt": Q, "response": A},
    "question and answer": {"question": Q, "answer": A},
    "query and response": {"query": Q, "response": A},
    "input and output": {"input": Q, "output": A},
    "evals: input and ideal": {"input": [U], "ideal": A},
    "instruction and response": {"instruction": Q, "context": "", "response": A},
    "names in capitals": {"Question": Q, " Answer ": A},
    "human and assistant": {"human": Q, "assistant": A},
    "null columns beside": {"messages": None, "prompt": Q, "completion": A},
    "no input": {"instruction": Q, "input": "<noinput>", "output": A},
    "nan as input": {"instruction": Q, "input": "nan", "output": A},
    "conversation": {"conversation": [U, ANSWER]},
    "a bare list of messages": [U, ANSWER],
    "messages as JSON text": {"messages": json.dumps([U, ANSWER])},
    "prompt as messages": {"prompt": [U], "completion": [ANSWER]},
    "pairs of input and output": {"conversation": [{"input": Q, "output": A}]},
    "alternating texts": {"conversations": [Q, A]},
    "data of alternating texts": {"data": [Q, A]},
    "pairs of human and assistant": {"conversations": [{"human": Q, "assistant": A}]},
    "Gemini": {"contents": [{"role": "user", "parts": [{"text": Q}]},
                            {"role": "model", "parts": [{"text": A}]}]},
    "parts of text": {"messages": [U, {"role": "assistant", "content": [
        {"type": "output_text", "text": "The round "}, {"text": "one."}]}]},
    "roles in capitals": {"messages": [U | {"role": "User"},
                                       ANSWER | {"role": "CHATBOT"}]},
    "ShareGPT's roles": {"conversations": [{"from": "Human", "value": Q},
                                           {"from": "bing", "value": A}]},
    "the answer beside": {"messages": [U], "response": A},
    "nulls of an SDK": {"messages": [U, ANSWER | {"tool_calls": [], "audio": None}]},
    "an array of one row": [{"messages": [U, ANSWER]}],
    "the hub's viewer": {"row_idx": 0, "row": {"messages": [U, ANSWER]},
                         "truncated_cells": []},
    "ms-swift with an empty history": {"query": Q, "response": A, "history": []},
    "Cohere": {"message": Q, "response": A},
    "a refusal": {"messages": [U, {"role": "assistant", "content": None,
                                   "refusal": A}]},
    "ChatGPT's export": {"mapping": {
        "r": {"message": None, "parent": None},
        "a": {"parent": "r", "message": {"author": {"role": "user"}, "content":
              {"content_type": "text", "parts": [Q]}}},
        "x": {"parent": "a", "message": {"author": {"role": "assistant"}, "content":
              {"content_type": "text", "parts": ["An older branch"]}}},
        "b": {"parent": "a", "message": {"author": {"role": "assistant"}, "content":
              {"content_type": "text", "parts": [A]}}}},
        "current_node": "b"},
}  # fmt: skip
SYSTEMS = {
    "beside messages": {"system": "You sell lamps.", "messages": [U, ANSWER]},
    "Bedrock": {"system": [{"text": "You sell lamps."}], "messages": [U, ANSWER]},
    "Gemini": {"systemInstruction": {"parts": [{"text": "You sell lamps."}]},
               "contents": [U, ANSWER]},
    "OpenOrca": {"system_prompt": "You sell lamps.", "question": Q, "response": A},
    "beside a prompt": {"system": "You sell lamps.", "prompt": Q, "completion": A},
    "said twice": {"system": "You sell lamps.", "messages": [S, U, ANSWER]},
    "Cohere": {"preamble": "You sell lamps.", "message": Q, "response": A},
    "in the history": {"system": "You sell lamps.", "query": Q, "response": A,
                       "history": None},
}  # fmt: skip


@pytest.mark.parametrize("name", READ_ALIKE)
def test_the_same_pair_is_read_of_every_format(name):
    rows, faults, _ = read(READ_ALIKE[name])
    assert (rows, faults) == ([{"messages": PAIR}], [])


@pytest.mark.parametrize("name", SYSTEMS)
def test_a_system_prompt_is_kept_of_every_format(name):
    assert read(SYSTEMS[name])[0] == [{"messages": WITH_SYSTEM}]


def test_every_format_is_found_by_the_keys_that_it_declares():
    values = {"label": True, "conversation_id": "1", "role": "user"}
    for found in FORMATS:
        row = {names[0]: values.get(names[0], Q) for _, names in found.needs}
        row |= {name: [Q, A] for name in found.lists_only}
        reader = RowReader()
        reader.read(1, row)
        assert reader.format is found, found.name


CONTEXTS = {
    "Dolly": {"instruction": Q, "context": "Two sizes.", "response": A},
    "Alpaca": {"instruction": Q, "input": "Two sizes.", "output": A},
    "beside messages": {"messages": [U, ANSWER], "context": "Two sizes."},
    "documents": {"messages": [U, ANSWER], "documents": [{"text": "Two sizes."}]},
    "documents as texts": {"question": Q, "answer": A, "documents": ["Two sizes."]},
}


@pytest.mark.parametrize("name", CONTEXTS)
def test_context_stands_below_the_question(name):
    rows, _, unused = read(CONTEXTS[name])
    assert rows[0]["messages"][0]["content"] == f"{Q}\n\nTwo sizes."
    assert not unused


REASONINGS = {
    "its own key": ANSWER | {"reasoning_content": "Let me see."},
    "another name": ANSWER | {"thinking": "Let me see."},
    "a part": {"role": "assistant", "content": [
        {"type": "thinking", "thinking": "Let me see."}, {"type": "text", "text": A}]},
}  # fmt: skip


@pytest.mark.parametrize("name", REASONINGS)
def test_reasoning_stays_with_its_answer(name):
    rows, faults, unused = read({"messages": [U, REASONINGS[name]]})
    assert rows[0]["messages"][1]["reasoning_content"] == "Let me see."
    assert rows[0]["messages"][1]["content"] == A
    assert not faults
    assert not unused


def test_reasoning_beside_the_answer_belongs_to_it():
    rows, _, _ = read({"question": Q, "reasoning": "Let me see.", "answer": A})
    assert rows[0]["messages"][1]["reasoning_content"] == "Let me see."


CALLS = {
    "OpenAI, arguments as text": {"role": "assistant", "content": None, "tool_calls": [
        {"id": "c", "type": "function",
         "function": {"name": "stock", "arguments": '{"lamp": "round"}'}}]},
    "arguments as an object with nulls": {"role": "assistant", "tool_calls": [
        {"id": "c", "function": {"name": "stock",
                                 "arguments": {"lamp": "round", "size": None}}}]},
    "flat": {"role": "assistant", "content": "", "tool_calls": [{"id": "c", **CALL}]},
    "Anthropic": {"role": "assistant", "content": [
        {"type": "tool_use", "id": "c", "name": "stock", "input": {"lamp": "round"}}]},
    "Bedrock": {"role": "assistant", "content": [{"toolUse": {
        "toolUseId": "c", "name": "stock", "input": {"lamp": "round"}}}]},
}  # fmt: skip
WITHOUT_ID = {
    "legacy": {"role": "assistant", "content": None, "function_call": {
        "name": "stock", "arguments": '{"lamp": "round"}'}},
    "a role": {"role": "tool_call", "content": json.dumps(CALL)},
    "ShareGPT": {"from": "function_call", "value": json.dumps(CALL)},
    "a list in a role": {"from": "function-call", "value": json.dumps([CALL])},
    "Gemini": {"role": "model", "parts": [{"functionCall": {
        "name": "stock", "args": {"lamp": "round"}}}]},
}  # fmt: skip


@pytest.mark.parametrize("name", [*CALLS, *WITHOUT_ID])
def test_tool_calls_have_one_form(name):
    message = CALLS.get(name) or WITHOUT_ID[name]
    result = {"role": "tool", "content": {"left": 3}}
    rows, faults, unused = read({"messages": [U, message, result, ANSWER]})
    call = {"type": "function", "function": CALL}
    made = rows[0]["messages"][1]
    assert made["tool_calls"] == [{"id": "c", **call} if name in CALLS else call]
    assert (made["role"], made["content"], made["weight"]) == ("assistant", "", 1)
    assert rows[0]["messages"][2]["content"] == '{"left":3}'
    assert not [kind for kind in faults if kind != "empty_content"]
    assert not unused


RESULTS = {
    "Anthropic": {"role": "user", "content": [
        {"type": "tool_result", "tool_use_id": "c", "content": "3"}]},
    "Bedrock": {"role": "user", "content": [
        {"toolResult": {"toolUseId": "c", "content": [{"json": 3}]}}]},
    "Gemini": {"role": "function", "parts": [
        {"functionResponse": {"id": "c", "response": 3}}]},
    "a number": {"role": "tool", "tool_call_id": "c", "content": 3},
    "parts of text": {"role": "tool", "tool_call_id": "c",
                      "content": [{"type": "text", "text": "3"}]},
}  # fmt: skip


@pytest.mark.parametrize("name", RESULTS)
def test_what_a_tool_answers_is_text(name):
    call = {"role": "assistant", "tool_calls": [{"id": "c", **CALL}]}
    rows, faults, _ = read({"messages": [U, call, RESULTS[name], ANSWER]})
    result = rows[0]["messages"][2]
    assert result == {"role": "tool", "content": "3", "tool_call_id": "c"}
    assert not faults


@pytest.mark.parametrize("arguments", [None, "", "null", {}, "{}"])
def test_no_arguments_are_an_empty_object(arguments):
    call = {"function": {"name": "stock", "arguments": arguments}}
    rows, _, _ = read({"messages": [U, {"role": "assistant", "tool_calls": [call]}]})
    made = rows[0]["messages"][1]["tool_calls"][0]
    assert made["function"]["arguments"] == {}


@pytest.mark.parametrize("arguments", ["stock()", "[1]", 5, [1]])
def test_arguments_that_are_no_object_are_refused(arguments):
    call = {"function": {"name": "stock", "arguments": arguments}}
    faults = read({"messages": [U, {"role": "assistant", "tool_calls": [call]}]})[1]
    assert "wrong_tool_call" in faults


def test_parallel_calls_of_a_role_are_one_turn():
    calls = [{"role": "tool_call", "content": json.dumps(CALL)}] * 2
    rows, faults, _ = read({"messages": [U, *calls, ANSWER]})
    assert len(rows[0]["messages"][1]["tool_calls"]) == 2
    assert "same_role_again" not in faults or faults.count("same_role_again") == 1


TOOLS = {
    "a list": [{"type": "function", "function": TOOL}],
    "JSON text": json.dumps([{"type": "function", "function": TOOL}]),
    "flat": [TOOL],
    "Anthropic": [{"name": "stock", "description": "How many are left",
                   "input_schema": {}}],
    "Gemini": [{"functionDeclarations": [TOOL]}],
    "Bedrock": {"tools": [{"toolSpec": {"name": "stock", "description":
                "How many are left", "inputSchema": {"json": {}}}}]},
}  # fmt: skip


@pytest.mark.parametrize("name", TOOLS)
@pytest.mark.parametrize("key", ["tools", "functions"])
def test_tools_have_one_form(name, key):
    for row in ({"messages": [U, ANSWER]}, {"prompt": Q, "completion": A}):
        rows, faults, unused = read(row | {key: TOOLS[name]})
        assert rows[0]["tools"] == [{"type": "function", "function": TOOL}]
        assert (faults, unused) == ([], [])


def test_tools_inside_a_message_are_tools():
    rows, _, unused = read({"messages": [S | {"tools": [TOOL]}, U, ANSWER]})
    assert rows[0]["tools"][0]["function"]["name"] == "stock"
    assert not unused


PAIRS = {
    "prompt, chosen, rejected": {"prompt": Q, "chosen": A, "rejected": "Go away."},
    "as messages": {"prompt": [U], "chosen": [ANSWER], "rejected": [BAD]},
    "whole chats": {"chosen": [U, ANSWER], "rejected": [U, BAD]},
    "a prompt that the chats repeat": {
        "prompt": Q, "chosen": [U, ANSWER], "rejected": [U, BAD]},
    "OpenAI": {"input": {"messages": [U]}, "preferred_output": [ANSWER],
               "non_preferred_output": [BAD]},
    "ShareGPT": {"conversations": [{"from": "human", "value": Q}],
                 "chosen": {"from": "gpt", "value": A},
                 "rejected": {"from": "gpt", "value": "Go away."}},
    "ms-swift": {"messages": [U, ANSWER], "rejected_response": "Go away."},
    "ms-swift, whole": {"messages": [U, ANSWER], "rejected_messages": [U, BAD]},
    "an answer with a rejected one": {"query": Q, "response": A,
                                      "rejected_response": "Go away."},
    "two outputs": {"instruction": Q, "input": "", "output": [A, "Go away."]},
    "written out": {"chosen": f"\n\nHuman: {Q}\n\nAssistant: {A}",
                    "rejected": f"\n\nHuman: {Q}\n\nAssistant: Go away."},
}  # fmt: skip


@pytest.mark.parametrize("name", PAIRS)
def test_a_preference_pair_has_one_form(name):
    rows, faults, unused = read(PAIRS[name])
    rejected = said(("assistant", "Go away."))
    assert rows == [{"messages": PAIR, "rejected": rejected}]
    assert (faults, unused) == ([], [])


@pytest.mark.parametrize("name", PAIRS)
def test_the_chosen_answers_alone_are_examples_to_learn(name):
    reader = RowReader(chosen_only=True)
    found = reader.read(1, json.dumps(PAIRS[name]).encode())
    assert json.loads(row_bytes(found.examples[0])) == {"messages": PAIR}


LABELLED = {
    "prompt": {"prompt": Q, "completion": A},
    "messages": {"messages": [U, ANSWER]},
    "ShareGPT": {"conversations": [{"from": "human", "value": Q},
                                   {"from": "gpt", "value": A}]},
}  # fmt: skip


@pytest.mark.parametrize("name", LABELLED)
@pytest.mark.parametrize("key", ["label", "kto_tag", "desirable"])
@pytest.mark.parametrize("bad", [False, 0, "False", "bad", "rejected"])
def test_an_answer_marked_bad_is_never_learned(name, key, bad):
    rows, faults, _ = read(LABELLED[name] | {key: bad}, LABELLED[name] | {key: True})
    assert [row["label"] for row in rows] == [False, True]
    assert [row["messages"][-1]["weight"] for row in rows] == [0, 1]
    assert not faults
    reader = RowReader(chosen_only=True)
    found = reader.read(1, json.dumps(LABELLED[name] | {key: bad}).encode())
    assert (found.examples, found.faults[-1].kind) == ([], "left_out")


@pytest.mark.parametrize("more", [{"label": False}, {"rejected": "Go away."}])
def test_a_bad_answer_later_in_a_file_of_good_ones_is_refused(more):
    _, faults, _ = read({"prompt": Q, "completion": A}, {"prompt": Q, "completion": A,
                                                         **more})  # fmt: skip
    assert faults == ["mixed_formats"]


def test_a_label_that_is_no_mark_is_named():
    rows, _, unused = read({"question": Q, "answer": A, "label": "lamps"})
    assert (len(rows), unused) == (1, ["label"])


@pytest.mark.parametrize("key", ["train", "loss", "weight", "loss_weight"])
def test_what_is_not_to_be_trained_on_has_weight_0(key):
    rows, _, unused = read({"messages": [U, ANSWER | {key: 0}, U, ANSWER | {key: 1}]})
    assert [m["weight"] for m in rows[0]["messages"] if "weight" in m] == [0, 1]
    assert not unused
    rows, faults, _ = read({"messages": [U, ANSWER], key: False})
    assert (rows, faults) == ([], ["left_out"])


@pytest.mark.parametrize("key", ["images", "audios", "videos", "image"])
def test_media_are_refused_by_name(key):
    for row in ({"messages": [U, ANSWER]}, {"prompt": Q, "completion": A}):
        assert read(row | {key: ["a.png"]})[1] == ["not_supported"]
        assert read(row | {key: []})[1] == []


TEXTS = {
    "ChatML": f"<|im_start|>user\n{Q}<|im_end|>\n<|im_start|>assistant\n{A}<|im_end|>",
    "Phi 4": f"<|im_start|>user<|im_sep|>{Q}<|im_end|>"
             f"<|im_start|>assistant<|im_sep|>{A}",
    "Llama 3": "<|begin_of_text|><|start_header_id|>user<|end_header_id|>\n\n"
               f"{Q}<|eot_id|><|start_header_id|>assistant<|end_header_id|>\n\n{A}",
    "Llama 2": f"<s>[INST] {Q} [/INST] {A} </s>",
    "Gemma": f"<bos><start_of_turn>user\n{Q}<end_of_turn>\n<start_of_turn>model\n{A}",
    "Zephyr": f"<|user|>\n{Q}</s>\n<|assistant|>\n{A}</s>",
    "Guanaco": f"### Human: {Q}### Assistant: {A}",
    "Alpaca": f"### Instruction:\n{Q}\n\n### Response:\n{A}",
    "Vicuna": f"USER: {Q} ASSISTANT: {A}</s>",
    "HH": f"\n\nHuman: {Q}\n\nAssistant: {A}",
    "DeepSeek": f"<\uff5cUser\uff5c>{Q}<\uff5cAssistant\uff5c>{A}",
    "questions": f"Question: {Q}\nAnswer: {A}",
}  # fmt: skip


@pytest.mark.parametrize("name", TEXTS)
def test_a_chat_written_out_as_text_is_read_as_turns_and_said(name):
    rows, faults, _ = read({"text": TEXTS[name]})
    assert (rows, faults) == ([{"messages": PAIR}], ["written_chat"])


def test_a_prompt_in_a_template_is_read_as_turns_and_said():
    rows, faults, _ = read({"prompt": f"<s>[INST] {Q} [/INST]", "completion": f" {A}"})
    assert (rows, faults) == ([{"messages": PAIR}], ["written_chat"])


@pytest.mark.parametrize(
    "text",
    ["Once there was a lamp.", "# Lamps\n\nThey are round.", "a ### b", "Q: why"],
)
def test_plain_text_stays_plain(text):
    rows, faults, _ = read({"text": text, "id": 1})
    assert rows[0]["messages"] == [{"role": "assistant", "content": text, "weight": 1}]
    assert not faults


@pytest.mark.parametrize("key", ["label", "summary", "target", "sentiment", "labels"])
def test_text_with_a_target_beside_is_no_plain_text(key):
    assert read({"text": "A long text", key: "short"})[1] == ["unknown_format"]


def test_messages_of_one_row_each_are_put_together():
    row = {"conversation_id": "a", **U}
    rows, faults, _ = read(
        row, row | ANSWER, {"conversation_id": "b", **U},
        {"conversation_id": "b", **ANSWER},
    )  # fmt: skip
    assert (rows, faults) == ([{"messages": PAIR}] * 2, [])
    faults = read(row, row | ANSWER, {"conversation_id": "b", **U},
                  {"conversation_id": "b", **ANSWER}, row)[1]  # fmt: skip
    assert "not_together" in faults


def test_a_parent_gives_what_was_said_before():
    first = {"id": "a", "parent_id": None, "instruction": Q, "output": A}
    second = {"id": "b", "parent_id": "a", "instruction": "Why?", "output": "It is."}
    rows, faults, unused = read(first, second)
    assert (rows[0]["messages"], faults, unused) == (PAIR, [], [])
    spoken = [(m["content"], m.get("weight")) for m in rows[1]["messages"]]
    assert spoken == [(Q, None), (A, 0), ("Why?", None), ("It is.", 1)]
    assert read(first, second | {"parent_id": "x"})[1] == ["no_parent"]


REFUSED = {
    "an OpenAI batch": ({"custom_id": "1", "body": {"messages": []}}, "batch"),
    "a tree": ({"message_tree_id": "1", "prompt": {"replies": []}}, "OpenAssistant"),
    "messages of trees": ({"message_id": "1", "parent_id": "", "role": "x"}, "trees"),
    "pandas' split": ({"columns": ["a"], "data": [["b"]]}, "orient"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_known_kinds_that_are_not_read_are_refused_by_name(name):
    row, words = REFUSED[name]
    fault = RowReader().read(1, row).faults[0]
    assert fault.kind == "known_unread"
    assert words in fault.message


def test_an_object_of_columns_is_read_as_rows():
    lists = {"prompt": [Q, Q], "completion": [A, A]}
    assert read(lists)[0] == [{"messages": PAIR}] * 2
    objects = {"prompt": {"0": Q, "1": Q}, "completion": {"0": A, "1": A}}
    assert read(objects)[0] == [{"messages": PAIR}] * 2


def test_text_of_which_nothing_is_seen_is_empty():
    row = {"messages": [U, ANSWER | {"content": "\u200b \u2060"}]}
    assert read(row)[1] == ["empty_content"]


@pytest.mark.parametrize(
    "row", [row for row in READ_ALIKE.values() if isinstance(row, dict)]
)
def test_the_fast_paths_agree_with_the_full_checks(row):
    reader = RowReader()
    found = reader.read(1, json.dumps(row).encode())
    looker = looker_of(reader.format)
    beside = looked_at(looker, json.dumps(row).encode()) if looker else None
    if beside is not None:
        assert (len(found.examples), found.faults) == (1, [])
        assert sorted(beside) == sorted(found.unused)


def test_the_readme_says_what_is_declared():
    readme = (Path(__file__).resolve().parents[3] / "README.md").read_text()
    assert format_table() in readme
    assert key_table() in readme
    assert set(WORDS) == set(Part)
