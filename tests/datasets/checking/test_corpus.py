"""Every file of the corpus gets its verdict, with lines, fields and words."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from datasets.checking.check import check_dataset
from datasets.models import Dataset
from datasets.services import create_dataset
from tests.datasets.checking.corpus import CORPUS
from tests.datasets.checking.corpus.cases import Case


def test_the_corpus_has_at_least_120_files_of_different_names():
    assert len({case.name for case in CORPUS}) == len(CORPUS) >= 120


@pytest.mark.parametrize("case", CORPUS, ids=lambda case: case.name)
def test_each_file_gets_its_verdict(case: Case, owner):
    file = SimpleUploadedFile("file", case.content)
    dataset = create_dataset(owner=owner, file=file)
    check_dataset(str(dataset.pk))
    dataset.refresh_from_db()
    everything = [*dataset.validation_errors, *dataset.validation_warnings]
    apart = {"unused_key", "chat_template"}
    found = [f for f in everything if f["kind"] not in apart]
    unused = {f["field"] for f in everything if f["kind"] == "unused_key"}
    assert unused == set(case.unused)
    named = sorted((f["kind"], f["line"] or 0, f["field"]) for f in found)
    assert named == sorted((k, line or 0, field) for k, line, field, _ in case.faults)
    for kind, line, field, words in case.faults:
        said = [f["message"] for f in found if (f["kind"], f["line"]) == (kind, line)]
        assert any(words in message for message in said), (field, words, said)
    assert (dataset.format, dataset.container) == (case.format, case.container)
    if case.examples is None:
        assert (dataset.status, dataset.training_ready) == ("error", False)
        assert dataset.total_training_pairs is None
    else:
        assert (dataset.status, dataset.training_ready) == ("ready", True)
        assert dataset.total_training_pairs == case.examples


@pytest.mark.django_db
def test_nothing_of_the_corpus_is_left_in_the_upload_folder(settings):
    from pathlib import Path

    assert not [f for f in Path(settings.UPLOAD_DIR).iterdir() if f.is_file()]
    assert not Dataset.objects.exists()


def test_what_no_chat_template_was_asked_about_is_said(owner):
    call = {"type": "function", "function": {"name": "look", "arguments": "{}"}}
    answer = {"role": "assistant", "content": None, "tool_calls": [call]}
    row = {"messages": [{"role": "user", "content": "Look."}, answer]}
    file = SimpleUploadedFile("file.jsonl", json.dumps(row).encode())
    dataset = create_dataset(owner=owner, file=file)
    check_dataset(str(dataset.pk))
    dataset.refresh_from_db()
    (said,) = dataset.validation_warnings
    assert said["kind"] == "chat_template"
    assert "1 of 1 examples" in said["message"]
    assert "tool calls" in said["message"]
