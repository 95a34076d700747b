"""Whatever a file was called, its download names one harmless file."""

import re

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from datasets.services import safe_name

NAMES = [
    'quo"te.jsonl',
    "line\nbreak.jsonl",
    "carriage\r\nSet-Cookie: x=1.jsonl",
    "../../etc/passwd",
    "..\\..\\boot.ini",
    "ünïcödé 雪.jsonl",
    "semi;colon.jsonl",
    "percent%0d%0a.jsonl",
    "page.html",
    "a" * 250 + ".jsonl",
    "\u202egpj.exe",
    "",
]


@pytest.fixture
def stored(dataset):
    dataset.storage_path = default_storage.save("x/original", ContentFile(b"<script>"))
    dataset.save()
    return dataset


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize("kept_as", [safe_name, str])
def test_the_original_is_an_attachment_under_one_name(
    api, browser_of_owner, stored, name, kept_as
):
    """Also under a name that was stored before names were made safe."""
    stored.file_name = kept_as(name)[:255]
    stored.save()
    for answer in (
        api.get(f"/api/datasets/{stored.pk}/original"),
        browser_of_owner.get(f"/datasets/{stored.pk}/download/original"),
    ):
        assert answer.status_code == 200
        given = answer["Content-Disposition"]
        assert given.startswith("attachment")
        assert "\n" not in given
        assert "\r" not in given
        assert not re.search(r'filename="[^"]*[/\\][^"]*"', given)
        assert "Set-Cookie" not in answer
        assert answer["Content-Type"] == "application/octet-stream"
        assert answer["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize("name", NAMES)
def test_a_safe_name_has_no_folder_and_no_control_character(name):
    found = safe_name(name)
    assert 0 < len(found) <= 255
    assert not set(found) & set(
        '/\\"\n\r;\u202e' if name != "semi;colon.jsonl" else "/"
    )
