"""Debian's Chromium; without it the tests skip, or fail when REQUIRE_BROWSER is set."""

import os
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.trainer.conftest import console, tiny_model

__all__ = ["console", "tiny_model"]
CHROMIUM = Path("/usr/bin/chromium")


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args):
    if not CHROMIUM.exists():
        words = "Chromium is missing: apt-get install chromium"
        if os.environ.get("REQUIRE_BROWSER"):
            pytest.fail(words)
        pytest.skip(words)
    return {
        **browser_type_launch_args,
        "executable_path": str(CHROMIUM),
        "args": [
            "--no-sandbox",
            "--disable-dev-shm-usage",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-first-run",
        ],
    }


def state_of(browser, console, username: str):
    """The cookies of a signed-in user."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(console.url)
    page.get_by_label("Username").fill(username)
    page.get_by_label("Password").fill("correct horse battery")
    page.get_by_role("button", name="Sign in").click()
    expect(page.locator("header.bar")).to_be_visible()
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture(scope="module")
def signed_in(browser, console):
    """The cookies of the owner."""
    return state_of(browser, console, "owner")


@pytest.fixture
def open_page(browser, console, signed_in):
    """Opens a path of the console in a context of its own."""
    contexts = []

    def opened(path: str, **options) -> Page:
        context = browser.new_context(
            storage_state=signed_in, base_url=console.url, **options
        )
        contexts.append(context)
        page = context.new_page()
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
