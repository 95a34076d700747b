"""The operators' pages in a browser: light, dark, narrow, and quiet."""

import pytest
from playwright.sync_api import expect

from tests.browser.conftest import LOOKS, state_of
from tests.browser.test_every_page import serious
from tests.trainer.conftest import Console

pytestmark = pytest.mark.browser
DJANGOS_OWN = (
    "label-title-only: <input",  # the search box of its lists, labelled by its icon
    'aria-prohibited-attr: <span class="help-tooltip',  # its boxes of permissions
)
FILL = """
from datetime import timedelta
from django.utils import timezone
from lora_pipeline.models import User
from tests.factories import TrainingJobFactory
from tests.training.rows import add_rows
from training.models import DeviceClaim, GpuOffer
root = User.objects.create_superuser("root", password="correct horse battery")
jobs = [add_rows(root, f"mark-{n}") for n in range(4)]
later = timezone.now() + timedelta(hours=2)
for n in range(3):
    TrainingJobFactory(user=root, dataset=jobs[0].dataset, name=f"waits {n}",
        status_note="waiting for a free CPU", queue_position=n + 1,
        expected_start_at=later)
claim = DeviceClaim.objects.get(attempt__job=jobs[0])
GpuOffer.objects.create(backend="local", gpu_type_id="H100", count=3,
    devices=[claim.device, "1", "2"], seen_at=later)
root.monthly_budget_usd = 20
root.save()
print(jobs[0].pk, root.pk)
"""


@pytest.fixture(scope="module")
def console(own_console) -> Console:
    return own_console


@pytest.fixture(scope="module")
def pages(console) -> dict[str, str]:
    return operators_pages(console)


def operators_pages(console) -> dict[str, str]:
    """The pages by name, with something on each, for the user `root`."""
    job, root = console.shell(FILL).split()
    return {
        "index": "/admin/",
        "fleet": "/admin/fleet",
        "jobs": "/admin/training/trainingjob/",
        "job": f"/admin/training/trainingjob/{job}/change/",
        "events": "/admin/training/jobevent/",
        "gpu-type": "/admin/training/gputype/H100/change/",
        "gpu-types": "/admin/training/gputype/",
        "machines": "/admin/training/machine/",
        "user": f"/admin/lora_pipeline/user/{root}/change/",
        "users": "/admin/lora_pipeline/user/",
        "datasets": "/admin/datasets/dataset/",
    }


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_operators_pages_are_accessible_narrow_and_quiet(
    browser, console, pages, width, scheme
):
    context = browser.new_context(
        storage_state=state_of(browser, console, "root"),
        base_url=console.url,
        color_scheme=scheme,
        viewport={"width": width, "height": 800},
    )
    page = context.new_page()
    said: list[str] = []
    page.on("console", lambda m: said.append(f"{m.type} {page.url} {m.text}"))
    page.on("pageerror", lambda error: said.append(f"error {page.url} {error}"))
    faults, heard = [], []
    for name, path in pages.items():
        page.goto(path, wait_until="load")
        wide = page.evaluate("document.documentElement.scrollWidth")
        faults += [f"{name}: {wide} px wide"] * (wide > width)
        heard += said
        ours = [words for words in serious(page) if not words.startswith(DJANGOS_OWN)]
        faults += [f"{name}: {words}" for words in ours]
        said.clear()  # axe looks for what stylesheets import in the wrong folder
    context.close()
    assert faults == []
    assert [line for line in heard if line.startswith(("error", "warning"))] == []


def test_cancelling_asks_first_and_says_what_was_done(browser, console, pages):
    context = browser.new_context(
        storage_state=state_of(browser, console, "root"), base_url=console.url
    )
    page = context.new_page()
    page.goto(f"{pages['jobs']}?q=waits")
    page.get_by_role("row", name="waits 1").get_by_role("checkbox").check()
    page.get_by_label("Action:").select_option(label="Cancel")
    page.get_by_role("button", name="Go").click()
    expect(page.locator("body")).to_contain_text("A cancelled job cannot be resumed")
    page.get_by_role("button", name="Yes, 1 of them").click()
    page.get_by_text("Cancel: 1 done.").wait_for()
    context.close()
