"""Rows out of JSON documents, whatever the pieces they come in."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as some

from datasets.domain.document import DocumentRows

values = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=8),
    lambda inner: (
        some.lists(inner, max_size=3)
        | some.dictionaries(some.text(max_size=4), inner, max_size=3)
    ),
    max_leaves=8,
)
rows = some.lists(some.dictionaries(some.text(max_size=4), values, max_size=3))


def read(document: bytes, inside: str, piece: int, max_bytes: int = 100_000):
    found = DocumentRows(inside, max_bytes=max_bytes)
    given_rows = []
    for start in range(0, len(document), piece):
        given_rows += found.feed(document[start : start + piece])
    return given_rows + list(found.finish())


@given(rows, some.integers(1, 50), some.sampled_from([None, 1]))
def test_an_array_gives_its_objects(objects, piece, indent):
    document = json.dumps(objects, indent=indent).encode()
    found = [json.loads(row) for _, row in read(document, "array", piece)]
    assert found == objects


@given(rows, some.integers(1, 50))
def test_a_member_gives_its_objects_and_nothing_else(objects, piece):
    whole = {"a": {"rows": [1]}, "b": "rows", "rows": objects, "z": [{"c": 1}]}
    document = json.dumps(whole).encode()
    found = [json.loads(row) for _, row in read(document, "rows", piece)]
    assert found == objects


@given(rows, some.integers(1, 50))
def test_values_one_after_another(objects, piece):
    document = b"\n".join(json.dumps(o, indent=2).encode() for o in objects)
    found = [json.loads(row) for _, row in read(document, "values", piece)]
    assert found == objects


@given(some.binary(max_size=300), some.integers(1, 20))
def test_any_bytes_are_read_to_their_end(document, piece):
    for inside in ("array", "values", "rows"):
        read(document, inside, piece)


def test_lines_are_those_of_the_document():
    document = b'[\n {"a":\n  1},\n\n {"b": 2}\n]\n'
    assert [line for line, _ in read(document, "array", 3)] == [2, 5]


@pytest.mark.parametrize("piece", [1, 7, 1000])
def test_a_row_that_is_too_long_is_named_and_the_next_one_read(piece):
    document = b'[{"a": "' + b"x" * 500 + b'"}, {"b": 1}]'
    assert read(document, "array", piece, 100) == [(1, None), (1, b'{"b": 1}')]


def test_what_is_needed_is_all_that_is_kept():
    found = DocumentRows("array", max_bytes=1000)
    for _ in range(1000):
        list(found.feed(b'[{"a": "' + b"x" * 100))
    assert len(found._buffer) < 2000
