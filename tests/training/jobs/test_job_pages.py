"""The page of one job, and what can be done with it there."""

from decimal import Decimal

import pytest
from django.test import Client
from django.utils import timezone

from tests.factories import AdapterFactory, TrainingJobFactory, bring_to
from training.models import GpuOffer, JobEvent, MetricPoint, RunAttempt

HTMX = {"HX-Request": "true"}


@pytest.fixture
def job(owner, dataset):
    return TrainingJobFactory(user=owner, dataset=dataset)


@pytest.fixture
def browser_of_stranger(stranger):
    client = Client()
    client.force_login(stranger)
    return client


@pytest.fixture
def cpu_here(db):
    GpuOffer.objects.create(
        backend="local", gpu_type_id="CPU", count=1, seen_at=timezone.now()
    )


def page_of(browser, job, query: str = "", **headers: str) -> str:
    answer = browser.get(job.get_absolute_url() + query, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def measure(job, *losses: float, validation: dict[int, float] | None = None) -> None:
    attempt = RunAttempt.objects.create(job=job, number=1, token_hash=str(job.pk))
    for step, loss in enumerate(losses, start=1):
        MetricPoint.objects.create(
            job=job,
            attempt=attempt,
            step=step,
            epoch=0,
            loss=loss,
            validation_loss=(validation or {}).get(step),
            at=job.created_at,
        )


def say(job, *messages: str) -> list[int]:
    rows = [
        JobEvent.objects.create(job=job, at=timezone.now(), kind="log", message=words)
        for words in messages
    ]
    return [row.pk for row in rows]


def test_the_page_shows_loss_and_refreshes_only_while_active(job, browser_of_owner):
    measure(job, 2.5, 1.5)
    page = page_of(browser_of_owner, job)
    assert "Training loss goes from 2.500 to 1.500." in page
    assert "hx-trigger" in page
    bring_to(job, "initializing", "running", "completed")
    assert "hx-trigger" not in page_of(browser_of_owner, job)


def test_the_best_evaluation_stands_beside_the_last_one(job, browser_of_owner):
    measure(job, 3.0, 2.0, 1.0, validation={1: 2.9, 2: 1.9, 3: 2.1})
    job.current_metrics = {"validation_loss": 2.1}
    job.save()
    page = page_of(browser_of_owner, job)
    assert "Validation 2.100 (best 1.900, at step 2)" in page


def test_a_refresh_holds_only_what_changed(job, browser_of_owner):
    first, second = say(job, "one", "two")
    query = f"?status=queued&after={first}"
    part = page_of(browser_of_owner, job, query, **HTMX)
    assert "two" in part
    assert " one\n" not in part
    assert f"after={second}" in part
    assert 'id="manage"' not in part
    assert 'id="unread"' not in part
    assert "<h1>" not in part


def test_a_refresh_after_a_change_of_status_brings_its_actions(job, browser_of_owner):
    bring_to(job, "initializing", "running", "completed")
    part = page_of(browser_of_owner, job, "?status=running", **HTMX)
    assert "Delete this job" in part
    assert 'id="unread" hx-swap-oob="true"' in part
    assert "hx-trigger" not in part


def test_a_refresh_costs_at_most_eight_queries(
    job, browser_of_owner, django_assert_max_num_queries
):
    measure(job, 1.0)
    with django_assert_max_num_queries(8):
        part = page_of(browser_of_owner, job, "?status=queued&after=0", **HTMX)
    assert 'id="live"' in part


@pytest.mark.parametrize("after", ["", "x", "-1", "9" * 40, "²"])
def test_a_line_number_that_is_none_brings_the_whole_log(after, job, browser_of_owner):
    say(job, "the first line")
    assert "the first line" in page_of(browser_of_owner, job, f"?after={after}")


def test_a_fragment_is_never_taken_for_the_page_by_a_cache(job, browser_of_owner):
    answer = browser_of_owner.get(job.get_absolute_url())
    assert "HX-Request" in answer.headers["Vary"]


def test_quote_estimate_and_cap_stand_side_by_side(job, browser_of_owner):
    job.quoted_cost, job.estimated_total_cost = Decimal("4.65"), Decimal("5.15")
    job.save()
    page = page_of(browser_of_owner, job)
    assert "<dt>Quoted at start</dt><dd>4.65</dd>" in page
    assert "<dt>Estimate</dt><dd>5.15</dd>" in page
    assert "Cap" not in page
    job.max_cost = Decimal(6)
    job.save()
    assert "<dt>Cap</dt><dd>6.00</dd>" in page_of(browser_of_owner, job)


def test_a_job_without_a_machine_says_so_and_can_move(job, browser_of_owner, cpu_here):
    job.gpu_config = {"type": "A100-80GB", "count": 2}
    job.save()
    page = page_of(browser_of_owner, job)
    assert "Waiting for a machine that offers A100-80GB" in page
    # 750 steps of 1600 tokens at 150 tokens/s, and 1800 s beside: 2 h 43 min.
    assert "about 2 h 43 min, <b>0.00 USD</b>" in page
    body = {"gpu_type": "CPU", "gpu_count": "1"}
    browser_of_owner.post(f"{job.get_absolute_url()}/move", body)
    job.refresh_from_db()
    assert job.gpu_config == {"type": "CPU", "count": 1}
    assert "No connected machine offers it" not in page_of(browser_of_owner, job)


def test_a_smaller_number_of_the_same_type_is_offered(job, browser_of_owner):
    GpuOffer.objects.create(
        backend="local", gpu_type_id="H100", count=1, seen_at=timezone.now()
    )
    job.gpu_config = {"type": "H100", "count": 4}
    job.save()
    page = page_of(browser_of_owner, job)
    assert "Waiting for a machine that offers 4 x H100" in page
    assert "Move to 1 \N{MULTIPLICATION SIGN} H100" in page


def test_without_any_machine_nothing_is_offered_to_move_to(job, browser_of_owner):
    page = page_of(browser_of_owner, job)
    assert "there is no other to move to" in page
    assert "/move" not in page


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ({}, "choose one of the machines"),
        ({"gpu_type": "CPU", "gpu_count": "many"}, "choose one of the machines"),
        ({"gpu_type": "Abacus", "gpu_count": "1"}, "see details"),
    ],
)
def test_a_move_to_nowhere_changes_nothing(body, words, job, browser_of_owner):
    answer = browser_of_owner.post(f"{job.get_absolute_url()}/move", body, follow=True)
    assert words in answer.content.decode()
    before, job = job.gpu_config, type(job).objects.get(pk=job.pk)
    assert job.gpu_config == before


def test_a_job_that_has_started_cannot_move(job, browser_of_owner, cpu_here):
    bring_to(job, "initializing", "running")
    body = {"gpu_type": "CPU", "gpu_count": "1"}
    path = f"{job.get_absolute_url()}/move"
    page = browser_of_owner.post(path, body, follow=True).content.decode()
    assert "Only a queued job can move" in page


def test_a_job_can_be_called_something_else(job, browser_of_owner):
    path = f"{job.get_absolute_url()}/rename"
    page = browser_of_owner.post(path, {"name": "<b>new</b>"}, follow=True)
    job.refresh_from_db()
    assert job.name == "<b>new</b>"
    assert "&lt;b&gt;new&lt;/b&gt;" in page.content.decode()


@pytest.mark.parametrize("name", ["", "   ", "x" * 201])
def test_a_name_that_cannot_be_used_is_refused(name, job, browser_of_owner):
    path = f"{job.get_absolute_url()}/rename"
    page = browser_of_owner.post(path, {"name": name}, follow=True).content.decode()
    assert "The name was not changed" in page
    job.refresh_from_db()
    assert job.name == "A job"


def test_starting_again_leads_to_the_form_with_the_same_values(
    job, browser_of_owner, cpu_here
):
    job.hyperparameters = {**job.hyperparameters, "rank": 24, "alpha": 48}
    job.save()
    path = f"{job.get_absolute_url()}/again"
    answer = browser_of_owner.get(path, follow=True)
    assert answer.redirect_chain[0][0].startswith("/training/configure?datasetId=")
    assert answer.context["form"]["rank"].value() == "24"
    assert answer.context["form"]["gpu_type"].value() == "CPU"


def test_starting_again_without_its_dataset_keeps_the_settings(job, browser_of_owner):
    job.dataset.deleted_at = timezone.now()
    job.dataset.save()
    other = TrainingJobFactory(user=job.user, dataset__name="Another").dataset
    path = f"{job.get_absolute_url()}/again"
    page = browser_of_owner.get(path, follow=True).content.decode()
    assert "was deleted. Choose a dataset" in page
    assert f"datasetId={other.pk}" in page
    assert "rank=16" in page


def test_cancelling_and_deleting_a_queued_job(job, browser_of_owner):
    path = job.get_absolute_url()
    page = browser_of_owner.post(f"{path}/cancel", follow=True).content.decode()
    assert "A job was cancelled." in page
    job.refresh_from_db()
    assert job.status == "cancelled"
    assert browser_of_owner.post(f"{path}/delete").status_code == 302
    assert browser_of_owner.get(path).status_code == 404


def test_a_running_job_cannot_be_deleted(job, browser_of_owner):
    bring_to(job, "initializing", "running")
    path = f"{job.get_absolute_url()}/delete"
    page = browser_of_owner.post(path, follow=True).content.decode()
    assert "Cancel it before you delete it" in page
    job.refresh_from_db()
    assert job.hidden_at is None


def test_an_adapter_that_is_not_there_is_a_404(job, browser_of_owner):
    path = f"{job.get_absolute_url()}/adapter"
    assert browser_of_owner.get(path).status_code == 404


def test_a_stranger_finds_nothing_of_the_job(job, browser_of_stranger):
    AdapterFactory(job=job)
    path = job.get_absolute_url()
    for part in ("", "/again", "/adapter"):
        assert browser_of_stranger.get(path + part).status_code == 404
    for part in ("/rename", "/move", "/cancel", "/delete"):
        body = {"name": "mine", "gpu_type": "CPU", "gpu_count": "1"}
        assert browser_of_stranger.post(path + part, body).status_code == 404
    job.refresh_from_db()
    assert (job.name, job.status) == ("A job", "queued")
