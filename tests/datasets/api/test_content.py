"""What lies in a dataset: files, examples, statistics, preflight, split, versions."""

import json
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from datasets.checking.check import check_dataset
from datasets.models import Dataset
from datasets.services import create_dataset
from tests.factories import TrainingJobFactory


def row(number: int, **more) -> dict:
    answer = {"role": "assistant", "content": f"Answer {number}."}
    return {"messages": [{"role": "user", "content": f"Question {number}?"}, answer],
            **more}  # fmt: skip


def number_of(found: dict) -> int:
    return int(found["messages"][0]["content"][9:-1])


def content(rows) -> bytes:
    return b"".join(json.dumps(r).encode() + b"\n" for r in rows)


def ready(owner, rows=None, **options) -> Dataset:
    file = SimpleUploadedFile("chats.jsonl", content(rows or map(row, range(300))))
    dataset = create_dataset(owner=owner, file=file, **options)
    check_dataset(str(dataset.pk))
    dataset.refresh_from_db()
    return dataset


def stored(own_storage: Path, dataset: Dataset, split: str) -> list[dict]:
    text = (own_storage / dataset.split_path(split)).read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_both_files_are_downloaded_as_attachments(api, owner):
    dataset = ready(owner)
    answer = api.get(f"/api/datasets/{dataset.pk}/original")
    assert b"".join(answer.streaming_content) == content(map(row, range(300)))
    assert answer["Content-Type"] == "application/octet-stream"
    assert answer["Content-Disposition"] == 'attachment; filename="chats.jsonl"'
    answer = api.get(f"/api/datasets/{dataset.pk}/normalised?split=validation")
    lines = b"".join(answer.streaming_content).splitlines()
    assert len(lines) == 30
    assert json.loads(lines[0])["messages"][1]["weight"] == 1
    assert "chats-validation.jsonl" in answer["Content-Disposition"]


def test_examples_come_page_by_page_in_the_order_of_the_split(api, owner, own_storage):
    dataset = ready(owner)
    rows = stored(own_storage, dataset, "train")
    address = f"/api/datasets/{dataset.pk}/examples"
    found = api.get(f"{address}?page=26&limit=10").json()["data"]
    assert found["examples"] == rows[250:260]
    block = {"page": 26, "limit": 10, "total": 270, "totalPages": 27}
    assert found["pagination"] == block
    assert api.get(f"{address}?page=28").json()["data"]["examples"] == []
    assert api.get(f"{address}?limit=101").status_code == 400
    assert api.get(f"{address}?split=test").status_code == 400


def test_an_uploaded_validation_file_is_held_out_as_it_is(owner, own_storage):
    held = SimpleUploadedFile("held.jsonl", content([row(1), row(1000), row(1001)]))
    dataset = ready(owner, list(map(row, range(50))), validation_file=held)
    assert dataset.total_training_pairs == 49
    assert dataset.total_validation_pairs == 3
    assert dataset.fault_counts == {"on_both_sides": 1}
    train = stored(own_storage, dataset, "train")
    assert not [r for r in train if r in stored(own_storage, dataset, "validation")]


def test_faults_of_the_validation_file_are_marked_as_its_own(owner):
    held = SimpleUploadedFile("held.jsonl", content([row(1)]) + b"{broken\n")
    dataset = ready(owner, list(map(row, range(50))), validation_file=held)
    assert dataset.status == "error"
    fault = dataset.validation_errors[0]
    found = (fault["file"], fault["line"], fault["kind"])
    assert found == ("validation", 2, "broken_json")


def test_a_validation_file_of_another_format_is_refused(owner):
    held = SimpleUploadedFile("held.jsonl", b'{"prompt": "a", "completion": "b"}\n')
    dataset = ready(owner, list(map(row, range(50))), validation_file=held)
    assert dataset.fault_counts == {"mixed_formats": 1}


def test_rows_of_one_conversation_are_never_divided(owner, own_storage):
    rows = [row(n * 10 + k, conversation_id=n) for n in range(20) for k in range(3)]
    dataset = ready(owner, rows, validation_share=0.2)
    assert dataset.total_validation_pairs == 12
    train, held = (
        {number_of(r) // 10 for r in stored(own_storage, dataset, s)}
        for s in ("train", "validation")
    )  # fmt: skip
    assert (len(train), len(held)) == (16, 4)
    assert not train & held


def test_the_first_estimate_stands_before_the_check(owner):
    file = SimpleUploadedFile("chats.jsonl", content(map(row, range(20_000))))
    dataset = create_dataset(owner=owner, file=file)
    assert (dataset.status, dataset.tokens_exact) == ("validating", False)
    assert dataset.total_training_pairs == pytest.approx(18_000, rel=0.1)
    assert dataset.format == "openai_chat"
    first = dataset.total_tokens
    check_dataset(str(dataset.pk))
    dataset.refresh_from_db()
    assert dataset.total_training_pairs == 18_000
    assert first == pytest.approx(dataset.total_tokens, rel=0.1)


def test_statistics_have_percentiles_and_the_signal_at_any_length(api, owner):
    dataset = ready(owner)
    address = f"/api/datasets/{dataset.pk}/statistics"
    found = api.get(f"{address}?max_length=16").json()["data"]["statistics"][0]
    assert found["examples"] == 270
    assert found["exact"] is False
    assert found["p50_tokens"] <= found["p95_tokens"] <= found["max_tokens"]
    assert found["signal"]["max_length"] == 16
    assert found["signal"]["cut"] == sum(n for size, n in found["lengths"] if size > 16)
    assert api.get(f"{address}?max_length=1").status_code == 400


def test_measuring_by_a_model_that_is_not_in_the_catalogue_is_a_400(api, owner):
    dataset = ready(owner)
    address = f"/api/datasets/{dataset.pk}/statistics"
    answer = api.post(address, {"base_model": "no/such"}, format="json")
    assert answer.status_code == 400
    assert "no/such" in answer.json()["details"]["base_model"][0]


def test_preflight_says_what_is_missing_without_a_tokenizer(api, owner):
    dataset = ready(owner)
    address = f"/api/datasets/{dataset.pk}/preflight"
    found = api.get(f"{address}?example=270").json()["data"]
    assert "No tokenizer" in found["missing"]
    assert found["messages"][0]["role"] == "user"
    found = api.get(f"{address}?example=271").json()["data"]
    assert "no example 271" in found["missing"]


def test_content_of_an_unchecked_dataset_is_a_409(api, owner):
    file = SimpleUploadedFile("a.jsonl", content([row(1)]))
    dataset = create_dataset(owner=owner, file=file)
    for part in ("examples", "preflight", "normalised"):
        assert api.get(f"/api/datasets/{dataset.pk}/{part}").status_code == 409


def test_a_stranger_reaches_no_part_of_it(stranger_api, owner):
    dataset = ready(owner)
    address = f"/api/datasets/{dataset.pk}"
    for part in ("original", "normalised", "examples", "preflight", "statistics"):
        assert stranger_api.get(f"{address}/{part}").status_code == 404
    for part in ("restore", "versions", "statistics"):
        answer = stranger_api.post(f"{address}/{part}", {}, format="json")
        assert answer.status_code in (400, 404)
        assert answer.status_code == 404


def test_the_same_file_twice_is_said(owner):
    first, second = ready(owner), ready(owner)
    assert first.sha256 == second.sha256
    assert first.fault_counts == {}
    assert second.fault_counts == {"same_file": 1}
    assert str(first.pk) in second.validation_warnings[0]["message"]


def test_the_split_is_made_anew_while_no_job_uses_it(api, owner):
    dataset = ready(owner)
    address = f"/api/datasets/{dataset.pk}"
    answer = api.patch(address, {"validation_share": 0.5}, format="json")
    assert (answer.status_code, answer.json()["data"]["status"]) == (200, "validating")
    check_dataset(str(dataset.pk))
    found = api.get(address).json()["data"]
    assert (found["total_training_pairs"], found["total_validation_pairs"]) == (
        150,
        150,
    )


def test_a_dataset_in_use_keeps_its_split_but_not_its_name(api, owner, own_storage):
    dataset = ready(owner)
    TrainingJobFactory(user=owner, dataset=dataset)
    address = f"/api/datasets/{dataset.pk}"
    answer = api.patch(address, {"split_seed": 7}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (409, "dataset_in_use")
    answer = api.patch(address, {"name": "Renamed"}, format="json")
    assert answer.json()["data"]["name"] == "Renamed"
    dataset.refresh_from_db()
    assert (dataset.status, dataset.split_seed) == ("ready", 42)


def test_a_version_keeps_the_content_and_leaves_the_first_as_it_was(
    api, owner, own_storage
):
    dataset = ready(owner)
    before = stored(own_storage, dataset, "train")
    address = f"/api/datasets/{dataset.pk}/versions"
    answer = api.post(address, {"split_seed": 7}, format="json")
    later = answer.json()["data"]
    assert (answer.status_code, later["version"], later["previous"]) == (
        201, 2, str(dataset.pk),
    )  # fmt: skip
    check_dataset(later["id"])
    new = Dataset.objects.get(pk=later["id"])
    assert (new.sha256, new.fault_counts) == (dataset.sha256, {})
    assert stored(own_storage, dataset, "train") == before
    assert stored(own_storage, new, "train") != before


def test_a_version_of_another_file(api, owner):
    dataset = ready(owner)
    file = SimpleUploadedFile("more.jsonl", content(map(row, range(400))))
    address = f"/api/datasets/{dataset.pk}/versions"
    later = api.post(address, {"file": file}, format="multipart").json()["data"]
    check_dataset(later["id"])
    new = Dataset.objects.get(pk=later["id"])
    assert (new.total_training_pairs, new.file_name) == (360, "more.jsonl")


def test_deleting_can_be_undone(api, owner):
    dataset = ready(owner)
    address = f"/api/datasets/{dataset.pk}"
    assert api.delete(address).status_code == 200
    assert api.get("/api/datasets").json()["data"]["datasets"] == []
    gone = api.get("/api/datasets?deleted=true").json()["data"]["datasets"]
    assert [d["id"] for d in gone] == [str(dataset.pk)]
    assert api.post(f"{address}/restore").status_code == 200
    assert api.get(address).json()["data"]["status"] == "ready"
    assert api.post(f"{address}/restore").status_code == 404


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ("", ["c", "b", "a"]),
        ("?status=ready", ["b", "a"]),
        ("?status=ready&status=error", ["c", "b", "a"]),
        ("?format=sharegpt", ["b"]),
        ("?training_ready=false", ["c"]),
        ("?search=A", ["a"]),
        ("?search=other.jsonl", ["b"]),
        ("?created_before=2000-01-01T00:00:00Z", []),
        ("?limit=1&page=2", ["b"]),
    ],
)
def test_the_list_is_filtered_searched_and_paged(api, owner, query, names):
    from tests.factories import DatasetFactory

    DatasetFactory(user=owner, name="a", file_name="x.jsonl")
    DatasetFactory(user=owner, name="b", format="sharegpt", file_name="other.jsonl")
    DatasetFactory(user=owner, name="c", status="error", training_ready=False,
                   file_name="x.jsonl")  # fmt: skip
    found = api.get(f"/api/datasets{query}").json()["data"]["datasets"]
    assert [d["name"] for d in found] == names


@pytest.mark.parametrize(
    "query", ["?status=lost", "?format=docx", "?page=0", "?created_after=soon"]
)
def test_a_senseless_filter_is_a_400(api, query):
    assert api.get(f"/api/datasets{query}").status_code == 400


def test_the_list_costs_the_same_for_1_and_for_20(
    api, owner, django_assert_num_queries
):
    from tests.factories import DatasetFactory

    def count() -> int:
        from django.db import connection
        from django.test.utils import CaptureQueriesContext

        with CaptureQueriesContext(connection) as queries:
            api.get("/api/datasets?limit=50")
        return len(queries)

    DatasetFactory(user=owner)
    count()
    one = count()
    DatasetFactory.create_batch(19, user=owner)
    assert count() == one
