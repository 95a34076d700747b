"""Two real files of a customer, where they are at hand beside the repository."""

import json
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from datasets.checking.check import check_dataset
from datasets.services import create_dataset

FOLDER = Path(__file__).resolve().parents[4] / "shared" / "data" / "brightrun"
pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="no ../shared")


def imported(owner, name: str):
    content = (FOLDER / name).read_bytes()
    dataset = create_dataset(owner=owner, file=SimpleUploadedFile(name, content))
    check_dataset(str(dataset.pk))
    dataset.refresh_from_db()
    return dataset


def rows(dataset, own_storage: Path) -> list[dict]:
    text = (own_storage / dataset.split_path("train")).read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_the_document_gives_7_examples_of_16_rows(owner, own_storage):
    dataset = imported(owner, "three-conversations.json")
    assert (dataset.status, dataset.format) == ("ready", "brightrun")
    assert dataset.total_training_pairs == 7
    assert dataset.fault_counts["no_target"] == 9
    assert set(dataset.fault_counts) == {"no_target", "unused_key"}
    found = rows(dataset, own_storage)
    assert len(found) == 7
    for row in found:
        contents = [m["content"] for m in row["messages"]]
        assert len(set(contents)) == len(contents)
        weights = [m["weight"] for m in row["messages"] if m["role"] == "assistant"]
        assert weights == [0] * (len(weights) - 1) + [1]
    assert [len(row["messages"]) for row in found] == [3, 5, 3, 5, 3, 5, 7]


def test_the_rows_give_3_examples_and_the_first_line_none(owner, own_storage):
    """Four lines: one describes the file, three have a target and a history that
    holds nothing but the current input once more."""
    dataset = imported(owner, "four-rows.jsonl")
    assert (dataset.status, dataset.total_training_pairs) == ("ready", 3)
    assert {w["kind"] for w in dataset.validation_warnings} == {"unused_key"}
    found = rows(dataset, own_storage)
    assert [[m["role"] for m in row["messages"]] for row in found] == [
        ["system", "user", "assistant"]
    ] * 3
