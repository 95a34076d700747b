"""Rows out of JSON documents, whatever the pieces they come in."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as some

from datasets.domain.document import Broken, Document, Plan, Refused
from datasets.domain.faults import Fault
from datasets.domain.survey import ARRAY, VALUES, survey

values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=8),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(some.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
rows = some.lists(some.dictionaries(some.text(max_size=4), values, max_size=3))
patient = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
ROW = {"prompt": "a", "completion": "b"}
CHAT = {"messages": [{"role": "user", "content": "a"}]}


def opened(document: bytes, piece: int = 7, max_bytes: int = 100_000) -> Document:
    pieces = (
        document[start : start + piece] for start in range(0, len(document), piece)
    )
    return Document(lambda: next(pieces, b""), max_bytes=max_bytes)


def read(document: bytes, plan: Plan, piece: int, max_bytes: int = 100_000):
    return list(opened(document, piece, max_bytes).rows(plan))


def member(*names: str) -> Plan:
    return Plan(inside="members", members=names)


def held(found):
    return [row.value for _, row, _ in found]


@patient
@given(rows, some.integers(1, 50), some.sampled_from([None, 1]))
def test_an_array_gives_its_objects(objects, piece, indent):
    document = json.dumps(objects, indent=indent).encode()
    assert held(read(document, ARRAY, piece)) == objects


@patient
@given(rows, some.integers(1, 50))
def test_a_member_gives_its_objects_and_nothing_else(objects, piece):
    whole = {"a": {"rows": [1]}, "b": "rows", "rows": objects, "z": [{"c": 1}]}
    document = json.dumps(whole).encode()
    assert held(read(document, member("rows"), piece)) == objects


@patient
@given(rows, some.integers(1, 50))
def test_values_one_after_another(objects, piece):
    document = b"\n".join(json.dumps(o, indent=2).encode() for o in objects)
    assert held(read(document, VALUES, piece)) == objects


@patient
@given(some.binary(max_size=300), some.integers(1, 20))
def test_any_bytes_are_read_to_their_end(document, piece):
    for plan in (ARRAY, VALUES, member("rows")):
        read(document, plan, piece)


@patient
@given(
    some.builds(lambda v: json.dumps(v).encode(), rows | values),
    some.integers(0, 200),
    some.sampled_from([b"", b",", b"]", b"}", b'"', b"x", b":", b"\\", b"1"]),
    some.integers(1, 30),
)
def test_what_python_refuses_is_refused_at_the_same_place(made, place, put, piece):
    """A character is replaced; Python's parser says whether and where it breaks."""
    place = min(place, max(len(made) - 1, 0))
    document = b"[" + made[:place] + put + made[place + 1 :] + b"]"
    try:
        json.loads(document)
        expected = None
    except json.JSONDecodeError as error:
        expected = error.msg.removesuffix(" at"), error.colno
    found = read(document, ARRAY, piece)
    fault = found[-1][1] if found and isinstance(found[-1][1], Fault) else None
    assert (fault is None) == (expected is None), (document, fault, expected)
    if fault is not None and expected is not None and fault.kind == "broken_json":
        begins_inside = expected[0].startswith(("Unterminated", "Invalid", "Expecting"))
        assert f"column {expected[1]}" in fault.found or begins_inside


def test_lines_are_those_of_the_document():
    document = b'[\n {"a":\n  1},\n\n {"b": 2}\n]\n'
    assert [line for line, _, _ in read(document, ARRAY, 3)] == [2, 5]


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_a_row_that_is_too_long_is_named_and_the_next_one_read(piece):
    document = b'[{"a": "' + b"x" * 500 + b'"}, {"b": 1}]'
    long, short = read(document, ARRAY, piece, 100)
    assert (long[0], long[1].kind) == (1, "row_too_long")
    assert short[1].value == {"b": 1}


def test_what_is_needed_is_all_that_is_kept():
    pieces = iter([b'[{"a": "', *[b"x" * 100] * 1000])
    document = Document(lambda: next(pieces, b""), max_bytes=1000)
    list(document.rows(ARRAY))
    assert len(document._buffer) < 2000


BROKEN = {
    "a comma too many": (b'[{"a": 1},\n ]', 2, 2),
    "no comma": (b'[{"a": 1}\n{"a": 2}]', 2, 1),
    "a comma too many inside": (b'[{"a": 1,}]', 1, 10),
    "no quotes": (b"[{a: 1}]", 1, 3),
    "a wrong bracket": (b'[{"a": [1}]', 1, 10),
    "words behind": (b'[{"a": 1}]\nend', 2, 1),
    "never closed": (b'[{"a": 1}\n', 2, 1),
    "a broken member beside": (b'{"info": {"a": tru},\n "rows": []}', 1, 16),
    "no colon": (b'{"info" 1, "rows": []}', 1, 9),
    "a broken name": (b'{"info": 1, rows: []}', 1, 13),
}


@pytest.mark.parametrize("name", BROKEN)
@pytest.mark.parametrize("piece", [1, 1000])
def test_a_broken_document_is_refused_where_python_refuses_it(name, piece):
    document, line, column = BROKEN[name]
    with pytest.raises(json.JSONDecodeError) as refused:
        json.loads(document)
    place = refused.value.lineno, refused.value.colno
    plan = ARRAY if document[:1] == b"[" else member("rows")
    fault = read(document, plan, piece)[-1][1]
    assert (fault.kind, fault.line) == ("broken_json", line)
    assert f"column {column}" in fault.found
    if name != "never closed":  # Python counts white space at the end otherwise
        assert place == (line, column)


PLANS = {
    "rows in an array": ([ROW], ARRAY),
    "one row": (ROW, VALUES),
    "one conversation": (CHAT["messages"], VALUES),
    "conversations in an array": ([CHAT["messages"]], ARRAY),
    "a known member": ({"data": [ROW]}, "data"),
    "another member": ({"name": "x", "lamps": [ROW]}, "lamps"),
    "an empty member before": ({"info": {"data": []}, "rows": [ROW]}, "rows"),
    "a member inside": ({"set": {"train": [ROW]}}, "set.train"),
    "tools with a property named data": (
        {"tools": [{"name": "f", "parameters": {"data": {"type": "array"}}}], **CHAT},
        VALUES,
    ),
    "a list of texts is a row": ({"data": ["a", "b"]}, VALUES),
    "rows of foreign columns": ({"data": [{"frage": "a"}]}, "data"),
    "rows by their id": ({"1": ROW, "2": ROW}, "*"),
    "the hub's viewer": ({"rows": [{"row_idx": 0, "row": ROW}]}, "rows"),
    "columns": ({"prompt": ["a", "c"], "completion": ["b", "d"]}, VALUES),
}


@pytest.mark.parametrize("name", PLANS)
@pytest.mark.parametrize("indent", [None, 1])
def test_where_the_rows_are_is_told_by_the_keys(name, indent):
    document, expected = PLANS[name]
    plan = survey(opened(json.dumps(document, indent=indent).encode()))
    if isinstance(expected, Plan):
        assert plan == expected
    else:
        assert plan.members[0] == expected


def test_the_validation_members_belong_to_the_plan():
    plan = survey(opened(json.dumps({"train": [ROW], "test": [ROW]}).encode()))
    assert {"train", "test", "validation", "eval"} <= set(plan.members)
    plan = survey(opened(json.dumps({"test": [ROW], "train": [ROW]}).encode()))
    assert {"train", "test"} <= set(plan.members)


def test_a_survey_says_where_a_document_breaks():
    with pytest.raises((Broken, Refused)):
        survey(opened(b'{"a": 1 "b"}'))
