"""A dataset's owner is told what checking found, by the worker, end to end."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from datasets.checking.result import keep_result
from datasets.services import create_dataset
from notifications.models import Notification
from tests.tasks import run_worker


def told(user) -> list[tuple[str, str]]:
    own = Notification.objects.filter(user=user, type__startswith="dataset_")
    return list(own.values_list("type", "message"))


@pytest.mark.django_db(transaction=True)
def test_ready_and_error_are_told_once_each(owner, settings, tmp_path):
    settings.UPLOAD_DIR = tmp_path
    rows = [
        {"messages": [{"role": "user", "content": f"q{n}"},
                      {"role": "assistant", "content": f"a{n}"}]}
        for n in range(20)
    ]  # fmt: skip
    good = "\n".join(json.dumps(row) for row in rows).encode()
    for name, body in (("good.jsonl", good), ("bad.jsonl", b"{nonsense\n")):
        create_dataset(owner=owner, file=SimpleUploadedFile(name, body))
    run_worker()
    found = dict(told(owner))
    assert set(found) == {"dataset_ready", "dataset_error"}
    assert "training sequences" in found["dataset_ready"]
    assert found["dataset_error"].startswith("bad cannot be used")
    assert len(told(owner)) == 2


def test_what_was_deleted_is_not_told(owner, dataset):
    dataset.deleted_at = dataset.created_at
    keep_result(dataset, status="error")
    assert told(owner) == []


def test_progress_is_not_told(owner, dataset):
    keep_result(dataset, total_tokens=5)
    assert told(owner) == []
