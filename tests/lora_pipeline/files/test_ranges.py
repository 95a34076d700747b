"""Ranges of a download, as RFC 9110 has them."""

import hashlib

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from lora_pipeline.files.downloads import RangeNotSatisfiable, asked_part
from tests.factories import AdapterFactory, TrainingJobFactory

BODY = bytes(range(256)) * 4000


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("", None),
        ("bytes=0-9", (0, 9)),
        ("bytes=90-", (90, 99)),
        ("bytes=-10", (90, 99)),
        ("bytes=-1000", (0, 99)),
        ("bytes=95-1000", (95, 99)),
        ("bytes=99-99", (99, 99)),
        ("bytes=9-0", None),
        ("bytes=-", None),
        ("bytes=0-1,5-6", None),
        ("lines=0-9", None),
        ("bytes=a-b", None),
        ("bytes=\u0660-\u0669", None),
        (f"bytes=0-{'9' * 5000}", (0, 99)),
    ],
)
def test_what_a_range_header_asks_for(header, expected):
    assert asked_part(header, 100) == expected


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=100-200", "bytes=-0"])
def test_a_range_behind_the_end_cannot_be_satisfied(header):
    with pytest.raises(RangeNotSatisfiable):
        asked_part(header, 100)


@pytest.fixture
def adapter(owner, dataset):
    path = default_storage.save("adapters/x.zip", ContentFile(BODY))
    return AdapterFactory(
        job=TrainingJobFactory(user=owner, dataset=dataset, name="My job"),
        version=2,
        storage_path=path,
        size_bytes=len(BODY),
        archive_sha256=hashlib.sha256(BODY).hexdigest(),
    )


def get(client, adapter, **headers):
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    path = f"/adapters/{adapter.pk}/download"
    return client.get(path, headers={"Accept-Encoding": "gzip", **named})


def body(answer) -> bytes:
    return b"".join(answer.streaming_content)


def test_two_ranges_joined_are_the_archive(adapter, browser_of_owner):
    first = get(browser_of_owner, adapter, Range="bytes=0-99999")
    rest = get(
        browser_of_owner, adapter, Range="bytes=100000-", If_Range=first.headers["ETag"]
    )
    assert (first.status_code, rest.status_code) == (206, 206)
    assert first.headers["Content-Range"] == f"bytes 0-99999/{len(BODY)}"
    assert rest.headers["Content-Length"] == str(len(BODY) - 100_000)
    joined = body(first) + body(rest)
    assert hashlib.sha256(joined).hexdigest() == adapter.archive_sha256
    assert first.headers["X-Content-SHA256"] == adapter.archive_sha256


def test_the_whole_archive_comes_as_it_is(adapter, browser_of_owner):
    answer = get(browser_of_owner, adapter)
    assert answer.status_code == 200
    assert answer.headers["Accept-Ranges"] == "bytes"
    assert "Content-Encoding" not in answer.headers
    assert answer.headers["Content-Length"] == str(len(BODY))
    assert 'filename="my-job-v2.zip"' in answer.headers["Content-Disposition"]
    assert body(answer) == BODY


def test_a_changed_file_is_sent_anew(adapter, browser_of_owner):
    answer = get(browser_of_owner, adapter, Range="bytes=5-9", If_Range='"other"')
    assert answer.status_code == 200
    assert body(answer) == BODY


def test_a_range_behind_the_end_is_a_416_that_says_the_size(adapter, browser_of_owner):
    answer = get(browser_of_owner, adapter, Range=f"bytes={len(BODY)}-")
    assert answer.status_code == 416
    assert answer.headers["Content-Range"] == f"bytes */{len(BODY)}"


def test_who_has_it_gets_a_304(adapter, browser_of_owner):
    etag = f'"{adapter.archive_sha256}"'
    assert get(browser_of_owner, adapter, If_None_Match=etag).status_code == 304


def test_pages_are_still_compressed(adapter, browser_of_owner):
    answer = browser_of_owner.get("/adapters", headers={"Accept-Encoding": "gzip"})
    assert answer.headers["Content-Encoding"] == "gzip"
