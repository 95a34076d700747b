"""How a file is read, over the API: mapping, chosen answers, without bad rows."""

import json

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from datasets.checking.check import check_dataset
from datasets.models import Dataset
from tests.datasets.checking.corpus.cases import GOOD, chat, document, lines, table

FOREIGN = lines(*[{"frage": f"Wie viele {n}?", "antwort": f"{n} Lampen.", "note": "x"}
                  for n in range(12)])  # fmt: skip
MAPPING = {"frage": "question", "antwort": "answer", "note": "ignore"}
PAIRS = lines(*[{"prompt": f"Q {n}", "chosen": f"good {n}", "rejected": f"bad {n}"}
                for n in range(12)])  # fmt: skip
JOB = {
    "preset_id": "custom",
    "gpu_config": {"type": "CPU", "count": 1},
    "hyperparameters": {
        "batch_size": 4, "epochs": 1, "learning_rate": 0.0001, "rank": 8,
    },
}  # fmt: skip


def uploaded(api, content: bytes, **values) -> dict:
    body = {"file": SimpleUploadedFile("f", content), **values}
    answer = api.post("/api/datasets", body, format="multipart")
    assert answer.status_code == 201, answer.json()
    return checked(api, answer.json()["data"]["id"])


def checked(api, dataset_id: str) -> dict:
    check_dataset(dataset_id)
    return api.get(f"/api/datasets/{dataset_id}").json()["data"]


def patched(api, found: dict, **changes) -> dict:
    answer = api.patch(f"/api/datasets/{found['id']}", changes, format="json")
    assert answer.status_code == 200, answer.json()
    return checked(api, found["id"])


def rows(api, found: dict) -> list[dict]:
    made = []
    for split in ("train", "validation"):
        answer = api.get(f"/api/datasets/{found['id']}/normalised?split={split}")
        content = b"".join(answer.streaming_content)
        made += [json.loads(line) for line in content.splitlines()]
    return made


def test_columns_are_shown_with_our_guess_and_a_preview(api):
    found = uploaded(api, FOREIGN)
    assert (found["status"], found["format"]) == ("error", "")
    answer = api.get(f"/api/datasets/{found['id']}/mapping").json()["data"]
    assert [c["name"] for c in answer["columns"]] == ["frage", "antwort", "note"]
    assert answer["columns"][0]["values"] == [f"Wie viele {n}?" for n in range(3)]
    assert answer["mapping"] == MAPPING
    spoken = [m["content"] for m in answer["example"]["messages"]]
    assert spoken == ["Wie viele 0?", "0 Lampen."]
    assert (answer["problem"], answer["unused"]) == ("", ["note"])


def test_a_mapping_reads_the_file_and_is_kept(api):
    found = patched(api, uploaded(api, FOREIGN), mapping=MAPPING)
    assert (found["status"], found["format"]) == ("ready", "mapped")
    assert found["mapping"] == MAPPING
    made = rows(api, found)
    assert len(made) == 12
    assert made[0]["messages"][1]["content"].endswith("Lampen.")
    assert [w["field"] for w in found["validation_warnings"]] == ["note"]
    again = patched(api, found, mapping={})
    assert again["status"] == "error"


def test_a_mapping_may_come_with_the_upload_as_text(api):
    found = uploaded(api, FOREIGN, mapping=json.dumps(MAPPING))
    assert (found["status"], found["total_training_pairs"]) == ("ready", 11)


def test_a_table_of_foreign_columns_is_read_by_a_mapping(api):
    made = table(["Frage", "Antwort"], ["a", "b"], ["c", "d"])
    found = uploaded(api, made, mapping='{"Frage": "question", "Antwort": "answer"}')
    assert (found["status"], found["container"]) == ("ready", "csv")


def test_text_with_a_label_is_learned_by_a_mapping_only(api):
    found = uploaded(api, lines({"text": "Dim it", "label": "dimming"}))
    assert found["status"] == "error"
    guessed = api.get(f"/api/datasets/{found['id']}/mapping").json()["data"]
    assert guessed["mapping"] == {"text": "question", "label": "answer"}


@pytest.mark.parametrize(
    ("mapping", "words"),
    [
        ({"frage": "frage"}, "choose one of"),
        ({"frage": "question"}, "Nothing would be learned"),
        ({"frage": "answer", "antwort": "answer"}, "Two columns are marked answer"),
        ({"frage": "rejected"}, "needs a chosen one"),
        ({"frage": "question", "antwort": "chosen"}, "needs a rejected one"),
        ({"frage": "text", "antwort": "answer"}, "Plain text has nothing beside it"),
        ([1], "column to part"),
        ("{", "column to part"),
        ({str(n): "ignore" for n in range(300)}, "at most 200"),
    ],
)
def test_a_mapping_that_cannot_be_is_refused_in_words(api, mapping, words):
    found = uploaded(api, FOREIGN)
    url = f"/api/datasets/{found['id']}"
    answer = api.patch(url, {"mapping": mapping}, format="json")
    assert answer.status_code == 400
    assert words in json.dumps(answer.json())
    asked = mapping if isinstance(mapping, str) else json.dumps(mapping)
    assert api.get(f"{url}/mapping", {"mapping": asked}).status_code == 400


def test_preferences_are_ready_but_refused_for_fine_tuning(api):
    found = uploaded(api, PAIRS)
    assert (found["status"], found["format"]) == ("ready", "preference")
    assert found["total_training_pairs"] + found["total_validation_pairs"] == 12
    assert not found["training_ready"]
    assert "12 pairs" in found["validation_warnings"][0]["message"]
    assert all("rejected" in row for row in rows(api, found))
    answer = api.post("/api/jobs", JOB | {"dataset_id": found["id"]}, format="json")
    assert (answer.status_code, answer.json()["code"]) == (400, "preference_data")
    assert "chosen_only" in answer.json()["error"]


def test_the_chosen_answers_only_can_be_trained_on(api):
    found = patched(api, uploaded(api, PAIRS), chosen_only=True)
    assert (found["status"], found["training_ready"]) == ("ready", True)
    made = rows(api, found)
    assert len(made) == 12
    assert not [row for row in made if "rejected" in row or "bad" in json.dumps(row)]


def test_bad_rows_are_left_out_when_the_owner_says_so(api):
    broken = [b"{", chat({"role": "user", "content": "a"}), GOOD | {"images": ["x"]}]
    answer = {"role": "assistant", "content": "A"}
    asked = ({"role": "user", "content": f"Q {n}"} for n in range(9))
    found = uploaded(api, lines(*[chat(one, answer) for one in asked], *broken))
    assert (found["status"], found["bad_rows"]) == ("error", 0)
    taken = patched(api, found, skip_bad_rows=True)
    assert (taken["status"], taken["bad_rows"]) == ("ready", 3)
    assert len(rows(api, taken)) == 9
    kinds = {w["kind"] for w in taken["validation_warnings"]}
    assert {"rows_left_out", "broken_json", "no_answer", "not_supported"} <= kinds
    assert "3 of 12 rows" in taken["validation_warnings"][0]["message"]


def test_a_document_that_breaks_is_not_taken_in_part(api):
    made = document([GOOD, GOOD])[:-30]
    found = uploaded(api, made, skip_bad_rows="true")
    assert (found["status"], found["bad_rows"]) == ("error", 0)


def test_members_named_test_are_the_validation_split(api):
    good = [chat({"role": "user", "content": f"Q {n}"},
                 {"role": "assistant", "content": "A"}) for n in range(5)]  # fmt: skip
    found = uploaded(api, document({"train": good[:3], "test": good[3:], "v": 1}))
    assert found["total_training_pairs"] == 3
    assert found["total_validation_pairs"] == 2
    assert [w["field"] for w in found["validation_warnings"]] == ["v"]


def test_how_a_file_is_read_is_the_owners_alone(api, stranger_api):
    found = uploaded(api, FOREIGN)
    url = f"/api/datasets/{found['id']}"
    assert stranger_api.get(f"{url}/mapping").status_code == 404
    refused = stranger_api.patch(url, {"mapping": MAPPING}, format="json")
    assert refused.status_code == 404
    assert Dataset.objects.get(pk=found["id"]).mapping == {}
