"""The list of jobs: filters, pages, and the rows that refresh themselves."""

import re
from uuid import uuid4

import pytest
from django.test import Client

from tests.factories import DatasetFactory, TrainingJobFactory

PATH = "/training/jobs"
HTMX = {"HX-Request": "true"}


@pytest.fixture
def make(owner, dataset):
    def job(**fields):
        return TrainingJobFactory(**{"user": owner, "dataset": dataset} | fields)

    return job


def names(page: str) -> list[str]:
    return re.findall(r'id="job-link-[^"]*">([^<]*)<', page)


def get(browser, query: str = "", **headers: str) -> str:
    answer = browser.get(PATH + query, headers=headers)
    assert answer.status_code == 200
    return answer.content.decode()


def test_several_statuses_text_and_dataset_narrow_the_list(
    owner, make, browser_of_owner
):
    make(name="a lamp", status="running")
    make(name="b lamp", status="failed")
    make(name="c lamp", status="queued")
    make(name="a chair", status="running")
    elsewhere = make(
        name="d lamp", status="running", dataset=DatasetFactory(user=owner)
    )
    page = get(browser_of_owner, "?status=running&status=failed&search=LAMP")
    assert names(page) == ["d lamp", "b lamp", "a lamp"]
    page = get(browser_of_owner, f"?dataset={elsewhere.dataset_id}")
    assert names(page) == ["d lamp"]


def test_pages_keep_the_filter(make, browser_of_owner):
    for number in range(21):
        make(name=f"lamp {number}", status="failed")
    page = get(browser_of_owner, "?status=failed&search=lamp")
    assert len(names(page)) == 20
    assert 'href="?status=failed&amp;search=lamp&amp;page=2"' in page
    page = get(browser_of_owner, "?status=failed&search=lamp&page=2")
    assert names(page) == ["lamp 0"]
    assert "21 jobs match." in page


@pytest.mark.parametrize("page", ["0", "-1", "x", "99"])
def test_a_page_that_is_not_there_shows_one_that_is(page, make, browser_of_owner):
    make()
    assert names(get(browser_of_owner, f"?page={page}")) == ["A job"]


def test_an_empty_list_leads_to_the_datasets(browser_of_owner):
    page = get(browser_of_owner)
    assert "No jobs yet" in page
    assert '<a class="button" href="/datasets">Go to datasets</a>' in page


def test_a_filter_without_a_match_can_be_cleared(make, browser_of_owner):
    make()
    page = get(browser_of_owner, "?search=nothing+like+it")
    assert "No jobs match" in page
    assert '<a class="button quiet" href="/training/jobs">Show all jobs</a>' in page
    assert "No jobs yet" not in page


def test_an_unknown_status_is_said_and_left_out(make, browser_of_owner):
    make()
    page = get(browser_of_owner, "?status=sleeping")
    assert "Received &#x27;sleeping&#x27;; choose from: queued" in page
    assert names(page) == ["A job"]


def test_htmx_gets_the_results_and_a_short_address(make, browser_of_owner):
    make(status="failed")
    query = "?status=failed&search=&dataset="
    answer = browser_of_owner.get(PATH + query, headers=HTMX)
    assert answer.content.decode().strip().startswith('<div id="results">')
    assert answer.headers["HX-Replace-Url"] == "/training/jobs?status=failed"
    assert "HX-Request" in answer.headers["Vary"]


def test_only_rows_that_can_change_are_asked_for_again(make, browser_of_owner):
    running, ended = make(status="running"), make(status="failed")
    page = get(browser_of_owner)
    assert f'hx-get="/training/jobs/live?id={running.pk}"' in page
    assert f"id={ended.pk}" not in page.partition("hx-get")[2].partition('"')[2][:80]


def test_a_list_of_ended_jobs_does_not_refresh(make, browser_of_owner):
    make(status="completed")
    assert "every 3s" not in get(browser_of_owner)


def live(browser, *jobs) -> str:
    query = "&".join(f"id={job if isinstance(job, str) else job.pk}" for job in jobs)
    return browser.get(f"{PATH}/live?{query}", headers=HTMX).content.decode()


def test_a_row_that_ended_comes_once_more_and_then_no_longer(make, browser_of_owner):
    running, ended = make(status="running"), make(status="failed")
    part = live(browser_of_owner, running, ended)
    assert f'<tr id="job-{ended.pk}" data-status="failed" hx-swap-oob="true">' in part
    assert f'hx-get="/training/jobs/live?id={running.pk}"' in part
    assert 'id="unread"' in part
    running.status = "cancelled"
    running.save()
    part = live(browser_of_owner, running)
    assert "cancelled" in part
    assert "hx-get" not in part


def test_a_refresh_of_rows_costs_four_queries_and_no_bell(
    make, browser_of_owner, django_assert_num_queries
):
    jobs = [make(status="running") for _ in range(5)]
    with django_assert_num_queries(4):
        part = live(browser_of_owner, *jobs)
    assert 'id="unread"' not in part


def test_rows_of_others_and_nonsense_are_left_out(make, stranger):
    job = make(status="running")
    client = Client()
    client.force_login(stranger)
    part = live(client, job, str(uuid4()), "nonsense")
    assert "<tr" not in part
    assert "hx-get" not in part


def test_the_list_costs_at_most_eight_queries_however_long(
    owner, make, browser_of_owner, django_assert_max_num_queries
):
    for _ in range(20):
        make(dataset=DatasetFactory(user=owner))
    with django_assert_max_num_queries(8):
        assert len(names(get(browser_of_owner, "?status=queued"))) == 20


def test_a_stranger_sees_no_job_and_no_dataset_of_the_owner(make, stranger):
    make(name="secret job")
    client = Client()
    client.force_login(stranger)
    page = get(client)
    assert names(page) == []
    assert "My Dataset" not in page


def test_every_row_can_be_started_again(make, browser_of_owner):
    jobs = [make(status=status) for status in ("running", "failed")]
    page = get(browser_of_owner)
    for job in jobs:
        assert f'href="/training/jobs/{job.pk}/again"' in page
