"""Uploads where the database or the disk fails: nothing acknowledged is lost."""

import errno
import fcntl
import os
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import OperationalError
from django.utils import timezone

from datasets import services, uploads
from datasets.models import Dataset
from datasets.uploads import part_path, remove_stale_before
from lora_pipeline.files.durable import is_disk_full
from tests.datasets.test_uploads import CONTENT, SIZE, begun, put

__all__ = ["begun"]
LOST = OperationalError("server closed the connection unexpectedly")
FULL = OSError(errno.ENOSPC, "No space left on device")


@pytest.fixture(autouse=True)
def own_uploads(tmp_path: Path, settings) -> None:
    """What these tests leave half done is in nobody's way."""
    settings.UPLOAD_DIR = settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "uploads"
    settings.UPLOAD_DIR.mkdir()


@pytest.fixture
def small_disk(tmp_path: Path, settings) -> Iterator[Path]:
    """Uploads go to a disk of 512 kB."""
    folder = tmp_path / "small"
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=512k", "tmpfs", str(folder)]
    if os.getuid() != 0 or subprocess.run(command, capture_output=True).returncode:
        pytest.skip("mounting a tmpfs needs root")
    settings.UPLOAD_DIR = settings.FILE_UPLOAD_TEMP_DIR = folder
    yield folder
    subprocess.run(["umount", "--lazy", str(folder)], check=True)


def fail(monkeypatch, error: Exception, after: bool = False) -> None:
    """The row of the whole upload is not saved, or is and nobody hears of it."""
    saved = services.begin_check

    def begin_check(*given, **more) -> None:
        if after:
            saved(*given, **more)
        raise error

    monkeypatch.setattr(uploads, "begin_check", begin_check)
    monkeypatch.setattr(services, "begin_check", begin_check)


@pytest.mark.parametrize("error", [LOST, RuntimeError("away"), FULL])
def test_an_upload_that_ends_as_the_database_does_can_be_ended_again(
    api, begun, own_storage, monkeypatch, error
):
    put(api, begun, CONTENT[:700], f"bytes 0-699/{SIZE}")
    with monkeypatch.context() as patch:
        fail(patch, error)
        last = put(api, begun, CONTENT[700:], f"bytes 700-{SIZE - 1}/{SIZE}")
        assert last.status_code in {500, 503, 507}
    found = api.get(f"/api/datasets/{begun['id']}").json()["data"]
    assert (found["status"], found["received_bytes"]) == ("uploading", SIZE)
    again = put(api, begun, b"", f"bytes */{SIZE}")
    assert again.json()["data"]["status"] == "validating"
    stored = own_storage / f"datasets/{begun['id']}/original"
    assert stored.read_bytes() == CONTENT
    assert list(stored.parent.iterdir()) == [stored]
    assert not list(part_path(Dataset.objects.get()).parent.glob(f"{begun['id']}*"))


def test_a_row_that_was_saved_unheard_keeps_its_file(
    api, begun, own_storage, monkeypatch
):
    fail(monkeypatch, LOST, after=True)
    put(api, begun, CONTENT, f"bytes 0-{SIZE - 1}/{SIZE}")
    assert Dataset.objects.get().status == "validating"
    assert (own_storage / f"datasets/{begun['id']}/original").read_bytes() == CONTENT


@pytest.mark.parametrize(("error", "kept"), [(LOST, True), (RuntimeError("x"), False)])
def test_a_file_sent_at_once_goes_only_if_its_row_surely_did(
    owner, own_storage, monkeypatch, error, kept
):
    fail(monkeypatch, error)
    with pytest.raises(type(error)):
        services.create_dataset(owner=owner, file=SimpleUploadedFile("a", CONTENT))
    assert bool(list(own_storage.rglob("original"))) == kept


def test_what_is_acknowledged_is_on_the_disk(api, begun, monkeypatch):
    synced = []
    monkeypatch.setattr(
        uploads, "sync", lambda file: synced.append(os.fstat(file.fileno()).st_size)
    )
    put(api, begun, CONTENT[:700], f"bytes 0-699/{SIZE}")
    assert synced == [700]


def test_a_stored_file_is_on_the_disk_before_a_row_names_it(own_storage, monkeypatch):
    synced = []
    monkeypatch.setattr(
        "lora_pipeline.files.storage.sync_path", lambda path: synced.append(path)
    )
    default_storage.save("datasets/1/original", SimpleUploadedFile("a", CONTENT))
    folder = own_storage / "datasets/1"
    assert synced == [folder / "original", folder, folder.parent, own_storage]


def test_a_full_disk_is_a_507_and_takes_nothing_back(api, small_disk, owner):
    big = os.urandom(1024) * 1024
    body = {"file_name": "a.jsonl", "file_size": len(big)}
    begun = api.post("/api/datasets", body, format="json").json()["data"]
    piece, size = 100 * 1024, len(big)
    offset, answer = 0, None
    while offset < size:
        content = big[offset : offset + piece]
        header = f"bytes {offset}-{offset + len(content) - 1}/{size}"
        answer = put(api, begun, content, header)
        if answer.status_code != 200:
            break
        offset += len(content)
    assert answer is not None
    assert (answer.status_code, answer.json()["code"]) == (507, "disk_full")
    assert answer.json()["details"] == {"offset": offset}
    assert "room" in answer.json()["error"]
    part = small_disk / f"{begun['id']}.part"
    assert part.read_bytes() == big[:offset]
    subprocess.run(["mount", "-o", "remount,size=4m", str(small_disk)], check=True)
    answer = put(api, begun, big[offset:], f"bytes {offset}-{size - 1}/{size}")
    assert answer.json()["data"]["status"] == "validating"


@pytest.mark.parametrize("door", ["/api/datasets", "/datasets/upload"])
def test_a_form_on_a_full_disk_is_a_507_in_words(
    api, browser_of_owner, door, small_disk
):
    file = SimpleUploadedFile("a.jsonl", CONTENT * 1000)
    client = api if door.startswith("/api") else browser_of_owner
    client.raise_request_exception = False
    answer = client.post(door, {"file": file, "name": "x"}, **MULTIPART.get(door, {}))
    assert answer.status_code == 507
    assert "disk is full" in answer.content.decode()
    assert list(small_disk.iterdir()) == []
    assert not Dataset.objects.exists()


MULTIPART = {"/api/datasets": {"format": "multipart"}}


def test_a_disk_full_of_the_databases_is_one_too():
    error = OperationalError("could not extend file")
    error.__cause__ = psycopg.errors.DiskFull("could not extend file")
    assert is_disk_full(error)
    assert not is_disk_full(LOST)


def old(path: Path) -> Path:
    long_ago = time.time() - 1_000_000
    os.utime(path, (long_ago, long_ago))
    return path


def cleaned() -> int:
    day_ago = timezone.now() - timezone.timedelta(days=1)
    return remove_stale_before(day_ago, dry_run=False).count


def test_the_clean_up_leaves_what_somebody_can_go_on_with(api, begun):
    """Its row was touched (renamed) since, or a chunk is coming this moment."""
    put(api, begun, CONTENT[:700], f"bytes 0-699/{SIZE}")
    part = old(part_path(Dataset.objects.get()))
    assert cleaned() == 0
    Dataset.objects.update(updated_at="2020-01-01T00:00:00Z")
    with part.open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert cleaned() == 0
    assert part.exists()
    assert cleaned() == 1


def test_the_clean_up_leaves_what_is_not_ours(db, settings, tmp_path):
    kept = settings.UPLOAD_DIR / "lost+found"
    kept.mkdir()
    (settings.UPLOAD_DIR / "notes.txt").write_text("mine")
    for name in ("lost+found", "notes.txt"):
        old(settings.UPLOAD_DIR / name)
    old_part = settings.UPLOAD_DIR / "gone.part"
    old_part.write_text("x")
    old(old_part)
    assert cleaned() == 1
    assert sorted(path.name for path in settings.UPLOAD_DIR.iterdir()) == [
        "lost+found",
        "notes.txt",
    ]
