"""Home, keys and the pages that say what went wrong."""

from decimal import Decimal
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from django.urls.converters import UUIDConverter
from django.utils import timezone

from lora_pipeline.accounts.services import create_api_key
from lora_pipeline.models import ApiKey
from lora_pipeline.urls import urlpatterns
from tests.factories import AdapterFactory, DatasetFactory, TrainingJobFactory

HTMX = {"HX-Request": "true"}


@pytest.fixture
def make(owner, dataset):
    def job(**fields):
        return TrainingJobFactory(**{"user": owner, "dataset": dataset} | fields)

    return job


@pytest.fixture
def browser_of_stranger(stranger):
    client = Client()
    client.force_login(stranger)
    return client


def next_of(browser) -> tuple[str, str]:
    step = browser.get("/").context["step"]
    return step.title, step.url


def completed(make, **fields):
    job = make(
        status="completed",
        completed_at=timezone.now(),
        current_metrics={"loss": 0.7123, "validation_loss": 0.8412},
        current_cost=Decimal("4.40"),
        final_cost=Decimal("4.40"),
        **fields,
    )
    job.artifact = AdapterFactory(job=job)
    job.save()
    return job


def test_a_new_user_is_led_to_the_upload(owner, browser_of_owner):
    assert next_of(browser_of_owner) == ("Upload a dataset", "/datasets/upload")
    assert "Upload data" in browser_of_owner.get("/").content.decode()


@pytest.mark.parametrize("status", ["validating", "error"])
def test_a_dataset_that_is_not_ready_is_looked_at_first(
    status, owner, browser_of_owner
):
    found = DatasetFactory(user=owner, status=status, training_ready=False)
    title, url = next_of(browser_of_owner)
    assert (title, url) == ("Check My Dataset", f"/datasets/{found.pk}")


def test_a_ready_dataset_leads_to_the_configuration(dataset, browser_of_owner):
    title, url = next_of(browser_of_owner)
    assert title == "Configure a training job"
    assert url == f"/training/configure?datasetId={dataset.pk}"


def test_an_open_job_is_to_be_watched(make, browser_of_owner):
    make(name="waits")
    runs = make(name="runs", status="running", started_at=timezone.now())
    assert next_of(browser_of_owner) == ("Watch runs", runs.get_absolute_url())


def test_a_completed_job_leads_to_its_adapter(make, browser_of_owner):
    job = completed(make)
    url = f"/training/jobs/{job.pk}/adapter"
    assert next_of(browser_of_owner) == ("Use the adapter of A job", url)
    assert "Upload data" not in browser_of_owner.get("/").content.decode()


@pytest.mark.parametrize(
    ("status", "title"),
    [("failed", "See why A job failed"), ("cancelled", "Start A job again")],
)
def test_a_job_without_an_adapter_leads_on_too(status, title, make, browser_of_owner):
    make(status=status, completed_at=timezone.now())
    assert next_of(browser_of_owner)[0] == title


def test_what_runs_and_what_waits_say_how_they_stand(make, browser_of_owner):
    make(status="running", name="runs", progress=0.64, current_step=480)
    make(name="waits", status_note="waiting for a free CPU", queue_position=3)
    page = browser_of_owner.get("/").content.decode()
    assert "64 %, step 480 of 750" in page
    assert "waiting for a free CPU, position 3" in page


def test_results_show_losses_cost_and_download(make, browser_of_owner):
    job = completed(make)
    page = browser_of_owner.get("/").content.decode()
    assert "<dd>0.712</dd>" in page
    assert "<dd>0.841</dd>" in page
    assert "4.40 USD" in page
    assert f'href="/training/jobs/{job.pk}/adapter"' in page


def test_home_refreshes_only_while_a_job_is_open(make, browser_of_owner):
    completed(make)
    assert "every 3s" not in browser_of_owner.get("/").content.decode()
    make()
    assert "every 3s" in browser_of_owner.get("/").content.decode()
    part = browser_of_owner.get("/", headers=HTMX)
    assert part.content.decode().strip().startswith('<div id="now"')
    assert "HX-Request" in part.headers["Vary"]


def test_home_shows_nothing_of_others(make, browser_of_stranger):
    make(name="secret job")
    completed(make, name="secret result")
    page = browser_of_stranger.get("/").content.decode()
    assert "secret" not in page
    assert "My Dataset" not in page


def test_home_with_a_budget_costs_at_most_ten_queries(
    owner, make, browser_of_owner, django_assert_max_num_queries
):
    owner.monthly_budget_usd = Decimal(100)
    owner.save()
    for _ in range(5):
        make(dataset=DatasetFactory(user=owner), estimated_total_cost=Decimal(4))
        completed(make, dataset=DatasetFactory(user=owner))
    with django_assert_max_num_queries(10):
        page = browser_of_owner.get("/").content.decode()
    # Five open jobs hold 1.25 x 4 USD each.
    assert "<dt>Reserved for open jobs</dt><dd>25.00</dd>" in page
    assert "<dt>Remaining</dt><dd>75.00</dd>" in page


def test_a_refresh_of_home_asks_for_jobs_only(
    make, browser_of_owner, django_assert_num_queries
):
    job = make()
    with django_assert_num_queries(5):
        part = browser_of_owner.get("/", headers=HTMX).content.decode()
    assert f"/training/jobs/{job.pk}" in part


def test_a_key_is_shown_once(browser_of_owner):
    body = {"name": "ci", "scope": "write"}
    page = browser_of_owner.post("/keys", body).content.decode()
    secret = page.partition('id="secret">')[2].partition("<")[0]
    assert secret.startswith("lp_")
    assert 'data-copy="secret"' in page
    assert secret not in browser_of_owner.get("/keys").content.decode()


def test_a_reload_makes_no_second_key(browser_of_owner):
    body = {"name": "ci", "scope": "write", "submission": "s1"}
    assert 'id="secret"' in browser_of_owner.post("/keys", body).content.decode()
    again = browser_of_owner.post("/keys", body, follow=True).content.decode()
    assert "The key was already created and shown once." in again
    assert ApiKey.objects.count() == 1
    browser_of_owner.post("/keys", body | {"submission": "s2"})
    assert ApiKey.objects.count() == 2


def test_keys_say_what_they_may_and_when_they_were_used(owner, browser_of_owner):
    create_api_key(owner=owner, name="ci", scope="read")
    page = browser_of_owner.get("/keys").content.decode()
    assert '<td data-label="Scope:">Read only</td>' in page
    assert '<td data-label="Last used:">never</td>' in page
    ApiKey.objects.update(last_used_at=timezone.now())
    page = browser_of_owner.get("/keys").content.decode()
    assert '<td data-label="Last used:">just now</td>' in page


def test_a_key_without_a_name_is_refused_beside_its_field(browser_of_owner):
    page = browser_of_owner.post("/keys", {"name": "", "scope": "write"})
    assert "This field is required." in page.content.decode()
    assert not ApiKey.objects.exists()


def test_a_key_is_revoked_by_its_owner_only(
    owner, browser_of_owner, browser_of_stranger
):
    key, _ = create_api_key(owner=owner, name="ci")
    assert browser_of_stranger.post(f"/keys/{key.pk}/revoke").status_code == 404
    key.refresh_from_db()
    assert not key.is_revoked
    page = browser_of_owner.post(f"/keys/{key.pk}/revoke", follow=True)
    assert "ci was revoked." in page.content.decode()
    key.refresh_from_db()
    assert key.is_revoked


def test_a_404_says_what_was_not_found(browser_of_owner):
    page = browser_of_owner.get(f"/training/jobs/{uuid4()}")
    assert page.status_code == 404
    assert "Job not found." in page.content.decode()
    page = browser_of_owner.get("/nowhere")
    assert page.status_code == 404
    assert (
        "This page does not exist, or you have no access to it."
        in page.content.decode()
    )


def test_a_missing_csrf_token_is_explained(owner):
    client = Client(enforce_csrf_checks=True)
    client.force_login(owner)
    page = client.post("/notifications/read-all")
    assert page.status_code == 403
    assert "Nothing was changed. Go back" in page.content.decode()


def test_our_own_fault_has_a_look_and_no_inner_detail(browser_of_owner, monkeypatch):
    def broken(*args, **options):
        raise RuntimeError("the inner detail")

    monkeypatch.setattr("training.home.views.work_of", broken)
    browser_of_owner.raise_request_exception = False
    page = browser_of_owner.get("/")
    assert page.status_code == 500
    text = page.content.decode()
    assert "Something went wrong on the server" in text
    assert "css/tokens.css" in text
    assert "the inner detail" not in text


def _pages(parts):
    for part in parts:
        inner = getattr(part, "url_patterns", None)
        yield from [part] if inner is None else _pages(inner)


def test_no_page_shares_its_name_with_an_endpoint():
    own = [part for part in urlpatterns if str(part.pattern) not in {"api/", "admin/"}]
    pages = list(_pages(own))
    assert len(pages) > 10
    for page in pages:
        kinds = page.pattern.converters.values()
        args = [uuid4() if isinstance(k, UUIDConverter) else "train" for k in kinds]
        address = reverse(page.name, args=args)
        assert not address.startswith("/api/"), page.name


@pytest.mark.django_db
def test_signing_in_again_leads_back_to_the_page_that_was_looked_at():
    here = {"Host": "testserver", "Referer": "http://testserver/keys?a=1"}
    assert Client().post("/keys", headers=here).url == "/sign-in?next=/keys%3Fa%3D1"
    live = {"HX-Request": "true", "HX-Current-URL": "http://testserver/training/jobs"}
    answer = Client().get("/training/jobs/live?id=1", headers=live)
    assert answer.headers["HX-Redirect"] == "/sign-in?next=/training/jobs"
    elsewhere = {"Referer": "https://example.org/keys"}
    assert Client().post("/keys", headers=elsewhere).url == "/sign-in?next=/"
