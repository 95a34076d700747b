"""Debian's Chromium; without it the tests skip, or fail when REQUIRE_BROWSER is set."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

CHROMIUM = Path("/usr/bin/chromium")
LOOKS = [
    (1280, "light"),
    (375, "dark"),
    pytest.param(1280, "dark", marks=pytest.mark.long),
    pytest.param(375, "light", marks=pytest.mark.long),
]
"""Widths and schemes: each once in the quick tests, all together in the long ones."""
REPORT = """document.addEventListener("securitypolicyviolation", (event) =>
    reportViolation(`${event.effectiveDirective} ${event.blockedURI}`))"""


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


def watch(context: BrowserContext) -> list[str]:
    """What the context's pages complain of and what their policy forbade."""
    said: list[str] = []
    context.expose_binding(
        "reportViolation",
        lambda source, words: said.append(f"violation {source['page'].url} {words}"),
    )
    context.add_init_script(REPORT)
    context.on(
        "console", lambda m: said.append(f"{m.type} {m.page and m.page.url} {m.text}")
    )
    context.on("weberror", lambda error: said.append(f"error {error.error}"))
    return said


def forbidden(said: list[str]) -> list[str]:
    """What the content security policy had to do with."""
    return [
        words
        for words in said
        if words.startswith("violation") or "Content Security Policy" in words
    ]


@pytest.fixture
def context(context: BrowserContext) -> Iterator[BrowserContext]:
    """No page of any test may do what the policy forbids."""
    said = watch(context)
    yield context
    assert forbidden(said) == []


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
    """The cookies of the module's user."""
    return state_of(browser, console, console.owner)


@pytest.fixture
def open_page(browser, console, signed_in):
    """Opens a path of the console in a context of its own."""
    contexts = []
    said: list[list[str]] = []

    def opened(path: str, **options) -> Page:
        context = browser.new_context(
            storage_state=signed_in, base_url=console.url, **options
        )
        said.append(watch(context))
        contexts.append(context)
        page = context.new_page()
        page.goto(path)
        return page

    yield opened
    for context in contexts:
        context.close()
    assert [words for each in said for words in forbidden(each)] == []
