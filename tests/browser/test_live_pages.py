"""Pages that refresh themselves, in a real browser, with a real run."""

import re

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

from tests.browser.conftest import LOOKS

pytestmark = pytest.mark.browser
HEARD = """() => {
    window.shifts = [];
    new PerformanceObserver((list) => {
        for (const entry of list.getEntries()) window.shifts.push(entry.value);
    }).observe({type: "layout-shift"});
}"""
WAITING = """
from datasets.models import Dataset
from lora_pipeline.models import User
from training.domain.config import JobConfig, fill_defaults
from training.estimates.checked import checked
from training.jobs.services import create_job
values = {{"learning_rate": 0.001, "batch_size": 4, "epochs": 2, "rank": 4}}
job, _ = create_job(
    owner=User.objects.get(username={owner!r}),
    dataset=Dataset.objects.get(pk={dataset!r}),
    asked=checked(JobConfig(
        gpu_type="A100-80GB", gpu_count=2, hyperparameters=fill_defaults(values),
        preset_id="custom", base_model="tests/tiny", name="a big one",
    )),
)
print(job.pk)
"""


@pytest.fixture(scope="module")
def dataset(console) -> str:
    return console.upload(200)


@pytest.fixture
def running(console, dataset) -> str:
    """A job with its first steps behind it and seconds to go."""
    job = console.start_job(dataset, epochs=4)
    console.wait_for_step(job, 1)
    return job


@pytest.fixture
def long_running(console, dataset):
    """A job that runs for as long as a test looks at it."""
    job = console.start_job(dataset, epochs=20)
    console.wait_for_step(job, 1)
    yield job
    console.leave()


def waiting(console, dataset: str) -> str:
    """A job for a machine that is not connected."""
    return console.shell(WAITING.format(owner=console.owner, dataset=dataset))


def test_the_list_refreshes_its_open_rows_and_then_stops(open_page, console, running):
    asked: list[str] = []
    page = open_page("/training/jobs")
    page.on("request", lambda request: asked.append(request.url))
    row = page.locator(f"#job-{running}")
    page.locator(f"#job-link-{running}").focus()
    expect(row).to_have_attribute("data-status", "running")
    expect(row).to_have_attribute("data-status", "completed", timeout=90_000)
    expect(page.locator(f"#job-link-{running}")).to_be_focused()
    expect(row).to_contain_text("100 %")
    expect(page.locator("#live-rows")).not_to_have_attribute("hx-get", re.compile("."))
    polls = [url for url in asked if "/training/jobs/live?" in url]
    assert polls
    assert all(url.count("id=") == 1 for url in polls)
    page.wait_for_timeout(4000)
    assert len([url for url in asked if "/live?" in url]) == len(polls)


def test_the_job_page_keeps_what_the_user_is_doing(open_page, console, running):
    page = open_page(f"/training/jobs/{running}")
    page.locator("#confirm").click()
    page.locator("#name").fill("a name half ty")
    before = page.locator("#live dd").first.inner_text()
    expect(page.locator("#live dd").first).not_to_have_text(before, timeout=10_000)
    expect(page.locator("#name")).to_be_focused()
    expect(page.locator("#name")).to_have_value("a name half ty")
    expect(page.get_by_role("button", name="Yes, cancel this job")).to_be_visible()
    page.locator(".log").focus()
    live = page.locator("#live")
    expect(live).to_have_attribute("data-status", "completed", timeout=90_000)
    expect(page.locator(".log")).to_be_focused()
    expect(page).to_have_title(re.compile("^Completed 100 %"))
    expect(page.locator("#said")).to_contain_text("Completed")
    expect(page.locator("#manage")).to_contain_text("Yes, delete this job")
    grown = page.locator("#log").inner_text().strip()
    page.reload()
    assert page.locator("#log").inner_text().strip().startswith(grown)


@pytest.mark.long
def test_nothing_jumps_while_a_run_goes_on(open_page, long_running):
    page = open_page(f"/training/jobs/{long_running}")
    expect(page.locator("svg.chart").first).to_be_visible(timeout=20_000)
    page.wait_for_timeout(500)
    page.evaluate(HEARD)
    page.wait_for_timeout(7000)
    assert sum(page.evaluate("window.shifts")) < 0.01


def test_home_shows_the_run_and_then_its_result(open_page, console, running):
    page = open_page("/")
    link = page.locator(f"#run-{running}")
    link.focus()
    expect(link).to_be_visible()
    console.wait_for_end(running)
    result = page.locator(f"#get-{running}")
    expect(result).to_be_visible(timeout=10_000)
    expect(page.locator("#now")).not_to_have_attribute("hx-get", re.compile("."))


@pytest.mark.long
def test_a_job_without_a_machine_moves_to_one_that_is_here(open_page, console, dataset):
    job = waiting(console, dataset)
    page = open_page(f"/training/jobs/{job}")
    expect(page.locator("#stranded")).to_contain_text(
        "Waiting for a machine that offers A100-80GB"
    )
    page.get_by_role("button", name="Move to 1 \N{MULTIPLICATION SIGN} CPU").click()
    expect(page.locator("#toasts")).to_contain_text(
        "a big one is now queued for 1 x CPU."
    )
    live = page.locator("#live")
    expect(live).to_have_attribute("data-status", "completed", timeout=90_000)
    expect(page.locator("#stranded")).to_be_empty()


@pytest.mark.long
def test_a_console_that_is_away_is_told_once_and_found_again(
    open_page, console, dataset
):
    job = waiting(console, dataset)
    page = open_page("/training/jobs")
    page.route("**/training/jobs/live?*", lambda route: route.abort())
    page.wait_for_event("requestfailed")
    page.wait_for_event("requestfailed")
    expect(page.locator(".toast")).to_have_count(1)
    page.unroute("**/training/jobs/live?*")
    console.api(f"/jobs/{job}/cancel", {})
    row = page.locator(f"#job-{job}")
    expect(row).to_have_attribute("data-status", "cancelled", timeout=10_000)


def test_a_refresh_waits_while_a_button_is_held(open_page, console, dataset):
    job = waiting(console, dataset)
    page = open_page("/training/jobs")
    link = page.locator(f"#job-link-{job}")
    link.hover()
    page.mouse.down()
    link.evaluate("(element) => (element.dataset.mine = 'yes')")
    page.wait_for_event("requestfinished", lambda request: "/live?" in request.url)
    page.wait_for_timeout(500)
    expect(link).to_have_attribute("data-mine", "yes")
    page.mouse.up()
    expect(page.get_by_role("heading", level=1)).to_have_text("a big one")


def test_renaming_cancelling_and_deleting_by_the_buttons(open_page, console, dataset):
    job = waiting(console, dataset)
    page = open_page(f"/training/jobs/{job}", java_script_enabled=False)
    page.get_by_label("Name").fill("not for long")
    page.get_by_role("button", name="Rename").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("not for long")
    page.get_by_text("Cancel this job …").click()
    page.get_by_role("button", name="Yes, cancel this job").click()
    expect(page.locator("#live")).to_have_attribute("data-status", "cancelled")
    page.get_by_text("Delete this job …").click()
    page.get_by_role("button", name="Yes, delete this job").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Training jobs")
    expect(page.locator(f"#job-{job}")).to_have_count(0)


def test_marking_a_notice_updates_the_bell_in_place(open_page, console, dataset):
    for _ in range(2):
        waiting(console, dataset)
    page = open_page("/notifications")
    before = int(page.locator("#unread .count").inner_text().split()[0])
    row = page.locator(".notice-row.unread").first
    identity = row.get_attribute("id")
    row.get_by_role("button", name="Mark as read").click()
    expect(page.locator(f"#{identity}")).to_contain_text("Read")
    expect(page.locator("#unread .count")).to_contain_text(str(before - 1))
    expect(page.locator(f"#{identity} .notice-title a")).to_be_focused()


def test_the_filter_works_with_and_without_script(open_page, console, dataset):
    waiting(console, dataset)
    page = open_page("/training/jobs")
    page.get_by_label("Name contains").fill("a big")
    expect(page).to_have_url(re.compile(r"/training/jobs\?search=a\+big$"))
    page.get_by_label("Failed").check()
    expect(page.locator("#results")).to_contain_text("No jobs match")
    plain = open_page("/training/jobs", java_script_enabled=False)
    plain.get_by_label("Name contains").fill("a big")
    plain.get_by_label("Queued").check()
    plain.get_by_role("button", name="Filter").click()
    expect(plain.locator("tbody tr").first).to_contain_text("a big one")


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_no_page_has_a_barrier(open_page, console, dataset, scheme, width):
    job = waiting(console, dataset)
    size = {"width": width, "height": 900}
    page = open_page("/", color_scheme=scheme, viewport=size)
    paths = ("/", "/training/jobs", "/training/jobs?search=nothing", "/notifications")
    paths += ("/notifications?read=true", "/keys", "/password", "/training/configure")
    for path in (*paths, f"/training/jobs/{job}", "/nowhere"):
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        found = Axe().run(page).response["violations"]
        grave = [v["id"] for v in found if v["impact"] in {"serious", "critical"}]
        assert grave == [], path
