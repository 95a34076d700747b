"""Uploads in pieces: at the right offset or not at all, and nothing left behind."""

import json
import os
import time
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from django.utils import timezone

from datasets import services
from datasets.models import Dataset
from datasets.services import create_dataset
from datasets.tasks import validate_dataset
from datasets.uploads import remove_stale_before

ROW = {"messages": [{"role": "user", "content": "Hi"},
                    {"role": "assistant", "content": "Hello, lamp."}]}  # fmt: skip
CONTENT = (json.dumps(ROW) + "\n").encode() * 20
SIZE = len(CONTENT)


@pytest.fixture
def begun(api) -> dict:
    body = {"file_name": "chats.jsonl", "file_size": SIZE, "name": "In pieces"}
    answer = api.post("/api/datasets", body, format="json")
    assert answer.status_code == 201, answer.content
    return answer.json()["data"]


def put(api, dataset: dict, content: bytes, header: str):
    return api.put(
        f"/api/datasets/{dataset['id']}/content",
        content,
        content_type="application/octet-stream",
        headers={"Content-Range": header},
    )


def test_pieces_at_the_current_offset_make_the_file(api, begun, own_storage):
    assert (begun["status"], begun["received_bytes"]) == ("uploading", 0)
    first = put(api, begun, CONTENT[:700], f"bytes 0-699/{SIZE}").json()["data"]
    assert (first["status"], first["received_bytes"]) == ("uploading", 700)
    asked = put(api, begun, b"", f"bytes */{SIZE}").json()["data"]
    assert asked["received_bytes"] == 700
    last = put(api, begun, CONTENT[700:], f"bytes 700-{SIZE - 1}/{SIZE}")
    assert last.json()["data"]["status"] == "validating"
    assert (own_storage / f"datasets/{begun['id']}/original").read_bytes() == CONTENT
    validate_dataset(dataset_id=begun["id"])
    dataset = Dataset.objects.get(pk=begun["id"])
    assert (dataset.status, dataset.name) == ("ready", "In pieces")
    assert not list(Path(settings.UPLOAD_DIR).glob("*.part"))


@pytest.mark.parametrize("start", [0, 699, 701])
def test_a_piece_at_another_offset_is_a_409_that_says_where(api, begun, start):
    put(api, begun, CONTENT[:700], f"bytes 0-699/{SIZE}")
    answer = put(api, begun, b"x" * 10, f"bytes {start}-{start + 9}/{SIZE}")
    assert answer.status_code == 409
    assert answer.json()["details"] == {"offset": 700}
    assert (
        api.get(f"/api/datasets/{begun['id']}").json()["data"]["received_bytes"] == 700
    )


@pytest.mark.parametrize(
    "header",
    ["", "bytes", "bytes 0-9", "bytes 9-0/{size}", "bytes 0-9/12", "bytes 0-8/{size}",
     "bytes a-b/{size}", "bytes 0-{size}/{size}", "bytes -1-8/{size}"],
)  # fmt: skip
def test_a_range_that_fits_nothing_is_a_400(api, begun, header):
    answer = put(api, begun, b"x" * 10, header.format(size=SIZE))
    assert answer.status_code == 400
    assert "Content-Range" in answer.json()["details"]


def test_a_complete_upload_takes_no_more(api, begun):
    put(api, begun, CONTENT, f"bytes 0-{SIZE - 1}/{SIZE}")
    answer = put(api, begun, CONTENT, f"bytes 0-{SIZE - 1}/{SIZE}")
    assert (answer.status_code, answer.json()["code"]) == (409, "complete")


def test_strangers_cannot_send_pieces(stranger_api, begun):
    assert put(stranger_api, begun, b"x", f"bytes 0-0/{SIZE}").status_code == 404


def test_a_file_over_the_limit_is_refused_before_its_first_piece(api, settings):
    settings.MAX_UPLOAD_BYTES = 100
    body = {"file_name": "a.jsonl", "file_size": 101}
    answer = api.post("/api/datasets", body, format="json")
    assert answer.status_code == 413
    assert not Dataset.objects.exists()


def forgotten() -> int:
    day_ago = timezone.now() - timedelta(days=1)
    return remove_stale_before(day_ago, dry_run=False).count


def test_an_upload_that_nobody_goes_on_with_is_forgotten(api, begun):
    put(api, begun, CONTENT[:700], f"bytes 0-699/{SIZE}")
    assert forgotten() == 0
    part = Path(settings.UPLOAD_DIR) / f"{begun['id']}.part"
    long_ago = time.time() - 100_000
    os.utime(part, (long_ago, long_ago))
    Dataset.objects.filter(pk=begun["id"]).update(updated_at="2020-01-01T00:00:00Z")
    assert forgotten() == 1
    assert not part.exists()
    assert not Dataset.objects.exists()


def test_a_row_that_cannot_be_saved_leaves_no_file(owner, own_storage, monkeypatch):
    def fail(**options):
        raise RuntimeError("the queue is away")

    monkeypatch.setattr(services.validate_dataset, "defer", fail)
    file = SimpleUploadedFile("a.jsonl", CONTENT)
    with pytest.raises(RuntimeError):
        create_dataset(owner=owner, file=file)
    assert not Dataset.objects.exists()
    assert not [path for path in own_storage.rglob("*") if path.is_file()]


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("../../etc/passwd", "passwd"),
        ("C:\\data\\chats.jsonl", "chats.jsonl"),
        ('a"b<c>.jsonl', "abc.jsonl"),
        ("line\nbreak.jsonl", "linebreak.jsonl"),
        ("Glühlampe 🪔.jsonl", "Glühlampe 🪔.jsonl"),
        ("", "dataset"),
        ("..", "dataset"),
    ],
)
def test_file_names_lead_nowhere(given, kept):
    assert services.safe_name(given) == kept
