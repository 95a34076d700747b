"""The API reference in Chromium, under the policy that forbids inline code."""

import json
import urllib.request

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import LOOKS
from tests.browser.test_main_job import sign_in

pytestmark = pytest.mark.browser


@pytest.mark.parametrize(("width", "scheme"), LOOKS)
def test_the_api_can_be_browsed_and_tried(page: Page, console, scheme, width):
    said: list[str] = []
    asked: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on("request", lambda request: asked.append(request.url))
    page.emulate_media(color_scheme=scheme)
    page.set_viewport_size({"width": width, "height": 900})
    sign_in(page, console)

    page.goto(f"{console.url}/api/docs")
    call = page.locator("#operations-Jobs-jobs_estimate")
    call.locator(".opblock-summary-control").click()
    expect(call.get_by_text("25.5", exact=True).first).to_be_visible()
    call.get_by_role("button", name="Try it out").click()
    call.get_by_role("button", name="Execute").click()
    live = call.locator(".live-responses-table")
    expect(live.get_by_text("Dataset not found.")).to_be_visible()

    dark = page.evaluate("document.documentElement.classList.contains('dark-mode')")
    assert dark is (scheme == "dark")
    assert page.evaluate("document.documentElement.scrollWidth") == width
    assert all(url.startswith((console.url, "data:")) for url in asked), asked
    expected = "404 (Not Found)"  # the tried call, as the browser reports it
    assert [words for words in said if expected not in words] == []


def test_the_description_is_json_for_every_client(console):
    headers = {"Authorization": f"Bearer {console.key}", "Accept": "text/html"}
    request = urllib.request.Request(f"{console.url}/api/schema", headers=headers)
    assert json.load(urllib.request.urlopen(request))["openapi"] == "3.1.0"
