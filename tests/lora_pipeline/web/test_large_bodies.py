"""One user sends a few large bodies at once, and no more."""

import io
from contextlib import ExitStack

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from datasets.models import Dataset
from lora_pipeline.web.large_bodies import free_place

ROW = (
    b'{"messages":[{"role":"user","content":"a"},{"role":"assistant","content":"b"}]}\n'
)


def file() -> SimpleUploadedFile:
    return SimpleUploadedFile("rows.jsonl", ROW * 3000)


@pytest.fixture
def all_taken(owner, settings):
    with ExitStack() as taken:
        for _ in range(settings.LARGE_BODIES_PER_USER):
            place = free_place(str(owner.pk), settings.LARGE_BODIES_PER_USER)
            taken.enter_context(place)
        yield taken


def test_a_key_is_told_to_wait_and_its_body_is_not_read(all_taken, api):
    answer = api.post("/api/datasets", {"file": file()}, format="multipart")
    assert answer.status_code == 429
    assert answer["Retry-After"] == "5"
    assert answer.json()["code"] == "too_many_bodies"
    assert "4 large bodies" in answer.json()["error"]
    assert not Dataset.objects.exists()


def test_a_page_is_told_to_wait(all_taken, browser_of_owner):
    answer = browser_of_owner.post("/datasets/upload", {"file": file()})
    assert answer.status_code == 429
    assert answer["Retry-After"] == "5"
    assert b"the most at once" in answer.content


def test_a_small_body_needs_no_place(all_taken, api):
    begun = {"file_name": "a.jsonl", "file_size": 5}
    assert api.post("/api/datasets", begun, format="json").status_code == 201


def test_others_have_places_of_their_own(all_taken, stranger_api):
    answer = stranger_api.post("/api/datasets", {"file": file()}, format="multipart")
    assert answer.status_code == 201


def test_a_place_is_free_again_after_the_answer(api, owner, settings):
    for _ in range(settings.LARGE_BODIES_PER_USER + 2):
        answer = api.post("/api/datasets", {"file": file()}, format="multipart")
        assert answer.status_code == 201
    assert isinstance(free_place(str(owner.pk), 1), io.IOBase)
