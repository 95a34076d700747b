"""Pages of datasets, for their owner and for a stranger."""

import json
import re

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from datasets.domain.formats.declared import FORMATS
from datasets.models import Dataset
from tests.datasets.api.test_content import content, ready, row
from tests.factories import DatasetFactory, TrainingJobFactory


@pytest.fixture
def browser_of_stranger(stranger):
    client = Client()
    client.force_login(stranger)
    return client


def test_a_ready_dataset_shows_facts_signal_examples_and_files(owner, browser_of_owner):
    dataset = ready(owner)
    page = browser_of_owner.get(f"/datasets/{dataset.pk}").content.decode()
    for words in ("270", "Training signal", "Question 0?", "Original file",
                  dataset.sha256, "No tokenizer with"):  # fmt: skip
        assert words in page
    assert 'hx-trigger="every 1s"' not in page


def test_every_link_of_the_page_answers(owner, browser_of_owner):
    dataset = ready(owner)
    page = browser_of_owner.get(f"/datasets/{dataset.pk}").content.decode()
    links = {
        link for link in re.findall(r'href="(/[^"#]*)', page) if "static" not in link
    }
    assert f"/datasets/{dataset.pk}/examples" in links
    for link in links - {"/sign-out"}:
        answer = browser_of_owner.get(link.replace("&amp;", "&"))
        assert answer.status_code == 200, link


@pytest.mark.parametrize(
    ("target", "begins"), [("live", 'id="live"'), ("look", 'id="look"')]
)
def test_htmx_gets_the_part_that_it_asks_for(owner, browser_of_owner, target, begins):
    dataset = ready(owner)
    headers = {"HX-Request": "true", "HX-Target": target}
    answer = browser_of_owner.get(
        f"/datasets/{dataset.pk}?example=2&max_length=64", headers=headers
    )
    words = answer.content.decode().strip()
    assert begins in words[:120]
    assert "<html" not in words


def test_a_page_being_checked_refreshes_itself_and_shows_progress(
    owner, browser_of_owner
):
    dataset = DatasetFactory(user=owner, status="validating", training_ready=False,
                             stage="tokens", progress=0.42)  # fmt: skip
    page = browser_of_owner.get(f"/datasets/{dataset.pk}").content.decode()
    assert 'hx-trigger="every 1s"' in page
    assert "Counting tokens … 42 %" in page


def test_faults_stand_with_line_field_finding_and_remedy(owner, browser_of_owner):
    broken = {"messages": [{"role": "alien", "content": "a"}]}
    file = SimpleUploadedFile("a.jsonl", content([row(1), broken]))
    answer = browser_of_owner.post("/datasets/upload", {"file": file})
    from datasets.checking.check import check_dataset

    check_dataset(answer.url.rpartition("/")[2])
    page = browser_of_owner.get(answer.url).content.decode()
    assert "messages[0]" in page
    assert (
        "Invalid role: &#x27;alien&#x27;. Use system, user, assistant or tool." in page
    )


@pytest.mark.parametrize(
    "query",
    [
        "example=0",
        "example=abc",
        "example=999999999999",
        "max_length=3",
        "split=x",
        "base_model=x",
    ],
)
def test_a_senseless_look_is_said_and_nothing_breaks(owner, browser_of_owner, query):
    dataset = ready(owner)
    answer = browser_of_owner.get(f"/datasets/{dataset.pk}?{query}")
    assert answer.status_code == 200


def test_examples_are_paged_as_chats(owner, browser_of_owner):
    dataset = ready(owner)
    page = browser_of_owner.get(f"/datasets/{dataset.pk}/examples?page=3")
    assert "Example 21" in page.content.decode()
    page = browser_of_owner.get(f"/datasets/{dataset.pk}/examples?split=validation")
    assert "30 examples" in page.content.decode()
    answer = browser_of_owner.get(f"/datasets/{dataset.pk}/examples?split=x")
    assert answer.status_code == 404


def test_markup_in_a_file_is_shown_as_text(owner, browser_of_owner):
    evil = "<script>alert(1)</script>"
    rows = [{"messages": [{"role": "user", "content": evil},
                          {"role": "assistant", "content": evil}]}]  # fmt: skip
    dataset = ready(owner, rows, name=evil)
    for path in ("", "/examples", "/edit"):
        page = browser_of_owner.get(f"/datasets/{dataset.pk}{path}").content.decode()
        assert "<script>alert" not in page


def test_name_and_description_are_edited_and_the_split_is_locked_in_use(
    owner, browser_of_owner
):
    dataset = ready(owner)
    TrainingJobFactory(user=owner, dataset=dataset)
    address = f"/datasets/{dataset.pk}/edit"
    body = {
        "name": "New",
        "description": "d",
        "validation_percent": 50,
        "split_seed": 1,
    }
    assert browser_of_owner.post(address, body).status_code == 302
    dataset.refresh_from_db()
    assert (dataset.name, dataset.validation_share, dataset.status) == (
        "New", 0.1, "ready",
    )  # fmt: skip


def test_a_version_is_made_from_the_page(owner, browser_of_owner):
    dataset = ready(owner)
    answer = browser_of_owner.post(
        f"/datasets/{dataset.pk}/version", {"validation_percent": 20}
    )
    later = Dataset.objects.get(previous=dataset)
    assert answer.url == f"/datasets/{later.pk}"
    assert (later.validation_share, later.version) == (0.2, 2)


def test_a_deleted_dataset_can_be_brought_back_from_the_list(owner, browser_of_owner):
    dataset = ready(owner)
    browser_of_owner.post(f"/datasets/{dataset.pk}/delete")
    page = browser_of_owner.get("/datasets").content.decode()
    assert f"/datasets/{dataset.pk}/restore" in page
    assert (
        f"/datasets/{dataset.pk}/restore"
        not in browser_of_owner.get("/datasets").content.decode()
    )
    page = browser_of_owner.get("/datasets?deleted=1").content.decode()
    assert f"/datasets/{dataset.pk}/restore" in page
    answer = browser_of_owner.post(f"/datasets/{dataset.pk}/restore")
    assert answer.url == f"/datasets/{dataset.pk}"
    assert browser_of_owner.get(answer.url).status_code == 200


def test_the_list_filters_by_text_and_status(owner, browser_of_owner):
    DatasetFactory(user=owner, name="lamps")
    DatasetFactory(user=owner, name="chairs", status="error")
    page = browser_of_owner.get("/datasets?search=lam&status=").content.decode()
    assert "lamps" in page
    assert "chairs" not in page
    page = browser_of_owner.get("/datasets?status=error").content.decode()
    assert "chairs" in page
    assert "lamps" not in page


def test_a_stranger_reaches_no_page_of_it(owner, browser_of_stranger):
    dataset = ready(owner)
    address = f"/datasets/{dataset.pk}"
    for part in ("", "/examples", "/edit", "/version", "/download/original",
                 "/download/train"):  # fmt: skip
        assert browser_of_stranger.get(address + part).status_code == 404, part
    for part in ("/delete", "/restore", "/measure", "/edit", "/version"):
        assert browser_of_stranger.post(address + part).status_code == 404, part


def test_downloads_are_attachments(owner, browser_of_owner):
    dataset = ready(owner)
    answer = browser_of_owner.get(f"/datasets/{dataset.pk}/download/train")
    rows = [
        json.loads(line) for line in b"".join(answer.streaming_content).splitlines()
    ]
    assert len(rows) == 270
    assert answer["Content-Disposition"].startswith("attachment")


def test_the_upload_page_lists_every_format_that_is_declared(browser_of_owner):
    page = browser_of_owner.get("/datasets/upload").content.decode()
    for found in FORMATS:
        assert found.title in page
        assert found.words in page


FOREIGN = content([{"frage": "Wie viele?", "antwort": "Zwei Lampen."}])
PAIRS = content([{"prompt": "a", "chosen": "good", "rejected": "bad"}])


def uploaded(browser, made: bytes) -> str:
    from datasets.checking.check import check_dataset

    file = SimpleUploadedFile("a.jsonl", made)
    answer = browser.post("/datasets/upload", {"file": file})
    check_dataset(answer.url.rpartition("/")[2])
    return answer.url


def test_columns_are_mapped_on_a_page(browser_of_owner):
    url = uploaded(browser_of_owner, FOREIGN)
    page = browser_of_owner.get(url).content.decode()
    assert "Say which column is what" in page
    page = browser_of_owner.get(f"{url}/mapping").content.decode()
    assert "Zwei Lampen." in page
    asked = {"column": ["frage", "antwort"], "part": ["question", "ignore"]}
    answer = browser_of_owner.post(f"{url}/mapping", asked)
    assert answer.status_code == 422
    assert "Nothing would be learned" in answer.content.decode()
    asked["part"] = ["question", "answer"]
    assert browser_of_owner.post(f"{url}/mapping", asked).url == url
    kept = Dataset.objects.get(pk=url.rpartition("/")[2]).mapping
    assert kept == {"frage": "question", "antwort": "answer"}


def test_a_part_of_a_page_shows_the_example_of_a_mapping(browser_of_owner):
    url = uploaded(browser_of_owner, FOREIGN)
    asked = {"column": ["frage", "antwort"], "part": ["answer", "question"]}
    answer = browser_of_owner.get(
        f"{url}/mapping", asked, headers={"HX-Target": "mapped"}
    )
    part = answer.content.decode()
    assert "<html" not in part
    assert part.index("Zwei Lampen.") < part.index("Wie viele?")


def test_one_click_trains_on_the_chosen_answers_only(browser_of_owner):
    url = uploaded(browser_of_owner, PAIRS)
    page = browser_of_owner.get(url).content.decode()
    assert "Train on the chosen answers only" in page
    assert "assistant, chosen" in page
    assert "assistant, rejected" in page
    browser_of_owner.post(f"{url}/reading", {"chosen_only": "1"})
    assert Dataset.objects.get(pk=url.rpartition("/")[2]).chosen_only


def test_one_click_takes_a_file_without_its_bad_rows(browser_of_owner):
    url = uploaded(browser_of_owner, content([row(1), {"messages": []}]))
    page = browser_of_owner.get(url).content.decode()
    assert "Take it without these rows" in page
    browser_of_owner.post(f"{url}/reading", {"skip_bad_rows": "1"})
    assert Dataset.objects.get(pk=url.rpartition("/")[2]).skip_bad_rows


def test_a_stranger_sees_no_columns_and_changes_no_reading(
    browser_of_owner, browser_of_stranger
):
    url, other = uploaded(browser_of_owner, FOREIGN), browser_of_stranger
    assert other.get(f"{url}/mapping").status_code == 404
    for part in ("mapping", "reading"):
        assert other.post(f"{url}/{part}", {"chosen_only": "1"}).status_code == 404


def test_warnings_of_a_base_model_stand_by_its_signal_and_in_the_api(
    owner, browser_of_owner, api
):
    dataset = ready(owner)
    row = dataset.statistics.get()
    row.unprinted, row.refused_by_template = {"call": 1}, 1
    row.refusals = {"System role not supported": 1}
    row.save()
    dataset.measuring = {"some/model": 0.42}
    dataset.save()
    page = browser_of_owner.get(f"/datasets/{dataset.pk}").content.decode()
    for words in ("System role not supported", "does not print the tool calls"):
        assert words in page
    assert "Tokens are being counted by some/model: 42 %." in page
    answer = api.get(f"/api/datasets/{dataset.pk}/statistics").json()["data"]
    assert len(answer["statistics"][0]["warnings"]) == 2
