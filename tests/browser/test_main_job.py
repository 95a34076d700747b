"""The main job in a real browser: sign in, upload, configure, watch, download."""

import re
import zipfile

import pytest
from playwright.sync_api import Page, expect

from tests.trainer.conftest import ROOT, Console, chat

pytestmark = pytest.mark.browser


def sign_in(page: Page, console: Console) -> None:
    page.goto(console.url)
    page.get_by_label("Username").fill(console.owner)
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", name=f"Hello, {console.owner}")).to_be_visible()


def test_from_a_file_to_an_adapter(page: Page, console, tmp_path):
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    elsewhere: list[str] = []
    page.on("request", lambda r: elsewhere.append(r.url))
    sign_in(page, console)

    page.get_by_role("link", name="Upload a dataset").click()
    page.get_by_label("File").set_input_files(
        files=[
            {
                "name": "lamps.jsonl",
                "mimeType": "application/jsonl",
                "buffer": jsonl(80),
            }
        ]
    )
    page.get_by_role("button", name="Upload").click()
    page.get_by_role("link", name="Configure a training job").click()

    page.get_by_label("Base model").select_option("tests/tiny")
    page.locator("#gpu_type-cpu").check()
    page.locator("#id_learning_rate").fill("0.001")
    page.locator("#id_epochs").fill("10")
    expect(page.locator("#steps")).to_have_text("180")
    page.get_by_role("button", name="Start training").click()

    expect(page.locator("#live")).to_have_attribute(
        "data-status", "running", timeout=30_000
    )
    expect(page.locator("svg.chart").first).to_be_visible(timeout=10_000)
    step = console.job(page.url.rpartition("/")[2])["current_step"]
    assert step > 0
    console.wait(lambda: step_on(page) >= step, 30)
    expect(page.locator("#live")).to_have_attribute(
        "data-status", "completed", timeout=60_000
    )
    expect(page.locator("#live")).not_to_have_attribute("hx-trigger", re.compile("."))
    with page.expect_download() as download:
        page.get_by_role("link", name="Download the adapter").click()
    archive = tmp_path / "adapter.zip"
    download.value.save_as(archive)
    assert "adapter_model.safetensors" in zipfile.ZipFile(archive).namelist()
    assert not [line for line in said if "rror" in line]
    assert {u.split("/")[2] for u in elsewhere if u.startswith("http")} == {
        console.url.removeprefix("http://")
    }


def jsonl(rows: int) -> bytes:
    import json

    lines = [json.dumps({"messages": chat(n)}) for n in range(rows)]
    return "\n".join(lines).encode()


def step_on(page: Page) -> int:
    return int(page.locator("#live dd").first.inner_text().split("/")[0])


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_no_page_is_wider_than_a_phone(page: Page, console, scheme):
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": 375, "height": 800})
    sign_in(page, console)
    screens = ROOT / "var" / "screens"
    screens.mkdir(parents=True, exist_ok=True)
    jobs = console.api("/jobs")["jobs"]
    datasets = console.api("/datasets")["datasets"]
    paths = ["", "datasets", "datasets/upload", "training/jobs", "notifications"]
    paths += ["keys", *(f"training/jobs/{job['id']}" for job in jobs[:1])]
    paths += [f"training/configure?datasetId={d['id']}" for d in datasets[:1]]
    for number, path in enumerate(paths):
        page.goto(f"{console.url}/{path}")
        page.screenshot(path=screens / f"{number}-{scheme}-narrow.png", full_page=True)
        width = page.evaluate("document.documentElement.scrollWidth")
        assert width <= 375, path
        page.set_viewport_size({"width": 1280, "height": 900})
        page.screenshot(path=screens / f"{number}-{scheme}-wide.png", full_page=True)
        page.set_viewport_size({"width": 375, "height": 800})
