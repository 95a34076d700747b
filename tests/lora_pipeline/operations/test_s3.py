"""Files in an S3-compatible bucket. The server is moto's, not a real S3."""

import io
import os
import urllib.request
import zipfile

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from lora_pipeline.operations.backup.file_sets import Storage
from tests.lora_pipeline.operations.buckets import (
    BUCKET,
    CREDENTIALS,
    keys_of,
    moto_server,
)
from tests.trainer.conftest import Console

BODY = bytes(range(256)) * 20_000


@pytest.fixture(scope="module")
def server():
    with moto_server() as url:
        yield url


@pytest.fixture
def bucket(server, settings, monkeypatch):
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)
    options = {
        "bucket_name": BUCKET,
        "endpoint_url": server,
        "region_name": "us-east-1",
        "addressing_style": "path",
        "file_overwrite": False,
    }
    backend = {"BACKEND": "lora_pipeline.files.s3.Bucket", "OPTIONS": options}
    settings.STORAGES = {**settings.STORAGES, "default": backend}
    return server


def test_a_stored_file_is_read_whole_and_in_parts(bucket):
    name = default_storage.save("adapters/a.zip", ContentFile(BODY))
    with default_storage.open(name) as file:
        assert file.size == len(BODY)
        assert file.read() == BODY
        file.seek(1000)
        assert file.read(5) == BODY[1000:1005]
        assert file.tell() == 1005
        file.seek(-7, os.SEEK_END)
        assert file.read() == BODY[-7:]
        assert file.read(1) == b""


def test_a_small_part_of_a_large_file_is_all_that_is_fetched(bucket, monkeypatch):
    from botocore.response import StreamingBody

    fetched = []
    real = StreamingBody.read
    monkeypatch.setattr(
        StreamingBody,
        "read",
        lambda body, amount=None: fetched.append(amount) or real(body, amount),
    )
    name = default_storage.save("adapters/large.zip", ContentFile(BODY))
    with default_storage.open(name) as file:
        file.seek(len(BODY) - 10)
        assert file.read(4) == BODY[-10:-6]
    assert len(fetched) == 1
    assert fetched[0] < len(BODY)


def test_what_is_not_there_is_not_found_and_a_delete_of_it_is_no_error(bucket):
    with pytest.raises(FileNotFoundError):
        default_storage.open("nothing/here")
    default_storage.delete("nothing/here")
    assert Storage().version("nothing/here") is None


def test_a_second_file_of_a_name_does_not_replace_the_first(bucket):
    first = default_storage.save("b/one", ContentFile(b"1"))
    second = default_storage.save("b/one", ContentFile(b"2"))
    assert first != second
    with default_storage.open(first) as file:
        assert file.read() == b"1"


def test_lines_and_archives_are_read_from_it(bucket):
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("adapter_config.json", "{}")
    name = default_storage.save("adapters/z.zip", ContentFile(packed.getvalue()))
    with default_storage.open(name) as file, zipfile.ZipFile(file) as archive:
        assert archive.read("adapter_config.json") == b"{}"
    name = default_storage.save("rows.jsonl", ContentFile(b'{"a": 1}\n{"a": 2}\n'))
    with default_storage.open(name) as file:
        assert [line.strip() for line in file] == [b'{"a": 1}', b'{"a": 2}']


def test_a_backup_finds_every_file_of_the_bucket(bucket):
    names = {default_storage.save(f"x/y/{n}", ContentFile(b"1")) for n in range(3)}
    assert names <= set(Storage().paths())


@pytest.mark.long
@pytest.mark.trainer
def test_from_upload_to_adapter_all_files_are_in_the_bucket(
    server, own_server, tiny_model
):
    settings = {
        "S3_BUCKET": BUCKET,
        "S3_ENDPOINT_URL": server,
        "S3_REGION": "us-east-1",
        "S3_PREFIX": "console",
    }
    console = Console(own_server, **settings, **CREDENTIALS)
    console.start()
    try:
        console.prepare(tiny_model)
        dataset = console.upload(40)
        ended = console.wait_for_end(console.start_job(dataset, epochs=1))
        assert ended["status"] == "completed", ended["error_message"]
        keys = keys_of(server)
        head = f"console/datasets/{dataset}"
        assert {f"{head}/original", f"{head}/train.jsonl"} <= set(keys)
        assert [key for key in keys if key.startswith("console/adapters/")]
        assert not [p for p in (own_server / "storage").rglob("*") if p.is_file()]
        assert console.api(f"/datasets/{dataset}/examples")
        check_downloads(console, ended["artifact_id"], dataset)
        request(console, f"/adapters/{ended['artifact_id']}", "DELETE").close()
        gone = lambda: not [k for k in keys_of(server) if "/adapters/" in k]  # noqa: E731
        console.wait(gone, 10)
    finally:
        console.stop()
        console.end_runs()


def check_downloads(console: Console, adapter: str, dataset: str) -> None:
    path = f"/adapters/{adapter}/download"
    whole = request(console, path).read()
    with zipfile.ZipFile(io.BytesIO(whole)) as archive:
        assert "adapter_model.safetensors" in archive.namelist()
    part = request(console, path, Range="bytes=100-199")
    assert part.status == 206
    assert part.read() == whole[100:200]
    original = request(console, f"/datasets/{dataset}/original").read()
    assert original.count(b"\n") == 40


def request(console: Console, path: str, method: str = "GET", **headers: str):
    headers["Authorization"] = f"Bearer {console.key}"
    asked = urllib.request.Request(
        f"{console.url}/api{path}", headers=headers, method=method
    )
    return urllib.request.urlopen(asked, timeout=30)
