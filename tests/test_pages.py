"""Every page, for its owner and for a stranger."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from datasets.models import Dataset
from training.configure.forms import first_values, offered
from training.models import TrainingJob

PAGES = (
    "/",
    "/datasets",
    "/datasets/upload",
    "/training/jobs",
    "/training/configure",
    "/notifications",
    "/keys",
    "/password",
)


@pytest.fixture
def browser_of_stranger(stranger):
    client = Client()
    client.force_login(stranger)
    return client


@pytest.mark.parametrize("page", PAGES)
def test_a_page_answers_its_user_and_sends_others_to_sign_in(page, browser_of_owner):
    assert browser_of_owner.get(page).status_code == 200
    answer = Client().get(page)
    assert (answer.status_code, answer.url) == (302, f"/sign-in?next={page}")


def test_signing_in_leads_home(owner):
    client = Client()
    body = {"username": "owner", "password": "correct horse battery"}
    assert client.post("/sign-in", body).url == "/"


def test_a_stranger_finds_nothing_of_the_owner(dataset, browser_of_stranger):
    for path in (
        f"/datasets/{dataset.pk}",
        f"/training/configure?datasetId={dataset.pk}",
    ):
        assert browser_of_stranger.get(path).status_code == 404
    path = f"/datasets/{dataset.pk}/delete"
    assert browser_of_stranger.post(path).status_code == 404


def test_the_form_starts_a_job(owner, dataset, browser_of_owner):
    values = first_values(offered()) | {
        "datasetId": dataset.pk,
        "base_model": "HuggingFaceTB/SmolLM2-135M-Instruct",
        "start": "",
    }
    answer = browser_of_owner.post("/training/configure", values)
    job = TrainingJob.objects.get(user=owner)
    assert (answer.status_code, answer.url) == (302, f"/training/jobs/{job.pk}")
    assert (job.preset_id, job.total_steps) == ("balanced", 750)


def test_a_wrong_value_keeps_the_form_and_starts_nothing(dataset, browser_of_owner):
    values = first_values(offered()) | {"datasetId": dataset.pk, "rank": 3, "start": ""}
    answer = browser_of_owner.post("/training/configure", values)
    assert answer.status_code == 422
    assert "Received 3; must be an integer from 4 to 128." in answer.content.decode()
    assert not TrainingJob.objects.exists()


def test_the_first_form_already_holds_an_estimate(dataset, browser_of_owner):
    page = browser_of_owner.get(f"/training/configure?datasetId={dataset.pk}")
    assert page.context["estimate"]["training_details"]["total_steps"] == 750


def test_an_empty_file_is_refused_beside_its_field(owner, browser_of_owner):
    body = {"file": SimpleUploadedFile("a.jsonl", b"")}
    page = browser_of_owner.post("/datasets/upload", body).content.decode()
    assert "The file is empty" in page
    assert not Dataset.objects.exists()


@pytest.mark.django_db
def test_no_endpoint_answers_without_a_user():
    for path in ("schema", "jobs", "datasets", "adapters"):
        assert Client().get(f"/api/{path}").status_code == 401
    assert Client().post("/api/jobs/estimate").status_code == 401


def test_the_openapi_description_is_served(api):
    assert api.get("/api/schema").status_code == 200
